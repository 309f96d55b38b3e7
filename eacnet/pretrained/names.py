"""How the checkpoints of published networks are named, and what images they expect."""

import re
from typing import NamedTuple

Renames = tuple[tuple[str, str], ...]
Triple = tuple[float, float, float]
IMAGENET = {"mean": (123.675, 116.28, 103.53), "std": (58.395, 57.12, 57.375)}


class Published(NamedTuple):
    """How the checkpoints of one published network are named, and what images they expect.

    `head` is a parameter of the classifier with one entry per class, by which the network is known,
    together with `mark`, one that no other network with such a head has. `renames` are the
    replacements that turn our names into the published ones, applied in order. Names that match
    `auxiliary` belong to heads that only training needs.

    `mean` and `std` are what was subtracted from RGB and what that was divided by, scale 0..255;
    None where every training had its own. `own_mean`: it is that of the frames that were trained
    on, so a network that was trained on others has another one. `align_corners` is that of the
    final upsampling.
    """

    backbone: str
    head: str
    renames: Renames
    mark: str = ""
    auxiliary: str = "$^"
    mean: Triple | None = None
    std: Triple = (1.0, 1.0, 1.0)
    own_mean: bool = False
    align_corners: bool = False


_DAB = (
    (r"^classifier\.", "classifier.0.conv."),
    (r"^backbone\.stem\.", "init_conv."),
    (r"^backbone\.fuse(\d)\.", r"bn_prelu_\1."),
    (r"^backbone\.down(\d)\.conv\.", r"downsample_\1.conv3x3.conv."),
    (r"^backbone\.down(\d)\.", r"downsample_\1."),
    (r"^backbone\.block(\d)\.(\d)\.", r"DAB_Block_\1.DAB_Module_\1_\2."),
    (r"\.before\.", ".bn_relu_1."),
    (r"\.reduce\.", ".conv3x3."),
    (r"\.near\.0\.", ".dconv3x1."),
    (r"\.near\.1\.", ".dconv1x3."),
    (r"\.far\.0\.", ".ddconv3x1."),
    (r"\.far\.1\.", ".ddconv1x3."),
    (r"\.after\.", ".bn_relu_2."),
    (r"\.expand\.", ".conv1x1.conv."),
    (r"\.norm_act\.", ".bn_prelu."),
    (r"\.norm\.", ".bn."),
    (r"\.act\.", ".acti."),
)
_ERF_BLOCKS = (
    (r"\.vertical(\d)\.", r".conv3x1_\1."),
    (r"\.horizontal(\d)\.", r".conv1x3_\1."),
    (r"\.norm(\d?)\.", r".bn\1."),
)
_ERF = (
    (r"^classifier\.", "encoder.output_conv."),
    (r"^backbone\.stem\.", "encoder.initial_block."),
    (r"^backbone\.layers\.", "encoder.layers."),
    *_ERF_BLOCKS,
)
_ERFNET = (
    (r"^classifier\.", "decoder.output_conv."),
    (r"^backbone\.encoder\.stem\.", "encoder.initial_block."),
    (r"^backbone\.encoder\.layers\.", "encoder.layers."),
    (r"^backbone\.decoder\.", "decoder.layers."),
    *_ERF_BLOCKS,
)
_ENET = (
    (r"^backbone\.stem\.conv\.", "encoder.initial.conv."),
    (r"^backbone\.stem\.norm\.", "encoder.initial.batch_norm."),
    (r"^backbone\.stem\.act\.", "encoder.initial.prelu."),
    (r"^backbone\.stage([12])\.(\d)\.", r"encoder.bottleneck_\1_\2."),
    *((rf"^backbone\.stage3\.{i}\.", f"encoder.bottleneck_3_{i + 1}.") for i in range(8)),
    (r"\.reduce\.", ".block1x1_1."),
    (r"\.middle\.", ".middle_block."),
    (r"\.expand\.", ".block1x1_2."),
    (r"(_1|_2|_block)\.conv\.", r"\1.0."),
    (r"(_1|_2|_block)\.norm\.", r"\1.1."),
    (r"(_1|_2|_block)\.act\.", r"\1.2."),
)
# torchvision's names, too.
RESNET18 = (
    (r"^backbone\.(conv|norm)\.", r"\g<1>1."),
    (r"^backbone\.", ""),
    (r"(^|\.)norm(\d)\.", r"\1bn\2."),
    (r"\.shortcut\.", ".downsample."),
)


def _same(classifier: str) -> Renames:
    """Return the renames of a backbone that carries the published names itself."""
    return (r"^classifier\.", classifier), (r"^backbone\.", "")


_CGNET = {
    "mark": "level1_0.conv.weight",
    # Cityscapes', computed in the order BGR and subtracted from RGB: so its weights expect it.
    "mean": (73.158, 82.909, 72.392),
    "own_mean": True,
}
PUBLISHED = (
    Published("cgnet", "classifier.0.conv.weight", _same("classifier.0.conv."), **_CGNET),
    # With its dropout before the classifier.
    Published("cgnet", "classifier.1.conv.weight", _same("classifier.1.conv."), **_CGNET),
    Published("dab", "classifier.0.conv.weight", _DAB),
    Published("erfnet", "decoder.output_conv.bias", _ERFNET, auxiliary=r"encoder\.output_conv\."),
    Published("erf", "encoder.output_conv.bias", _ERF),
    Published("enet", "classify.bias", ((r"^classifier\.", "classify."), *_ENET)),
    Published(
        "enet", "encoder.classifier.bias", ((r"^classifier\.", "encoder.classifier."), *_ENET)
    ),
    Published("resnet18", "classify.3.weight", ((r"^classifier\.", "classify."), *RESNET18)),
    Published(
        "pidnet_s",
        "final_layer.conv2.bias",
        _same("final_layer."),
        mark="pag3.f_x.0.weight",
        auxiliary=r"seghead_[pd]\.",
        **IMAGENET,
        align_corners=True,
    ),
    Published(
        "ddrnet23_slim",
        "final_layer.conv2.bias",
        _same("final_layer."),
        mark="down3.0.weight",
        auxiliary=r"seghead_extra\.",
        **IMAGENET,
    ),
    Published(
        "bisenetv2",
        "head.conv_out.1.bias",
        _same("head."),
        auxiliary=r"aux(2|3|4|5_4)\.",
        mean=(83.0535, 94.095, 82.1865),
        std=(53.856, 54.774, 53.9325),
    ),
    Published(
        "fast_scnn",
        "classifier.conv.1.bias",
        _same("classifier."),
        auxiliary=r"auxlayer\.",
        **IMAGENET,
        align_corners=True,
    ),
)


def renamed(name: str, renames: Renames) -> str:
    """Return what our parameter `name` is called elsewhere: `renames` applied in order."""
    for pattern, replacement in renames:
        name = re.sub(pattern, replacement, name)
    return name
