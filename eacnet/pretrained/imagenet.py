"""ImageNet weights for the narrowed ResNet-18, as far as names and shapes allow.

torchvision's ResNet-18 has 512 channels in its last stage where this one has 256, and a max-pool
where this one has a projected shortcut: those layers keep their fresh weights.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from eacnet.errors import InputError
from eacnet.models.backbones.resnet18 import ResNet18
from eacnet.pretrained.names import RESNET18, renamed

# What torchvision's weights expect: RGB on the scale 0..1, normalised with these.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def download_imagenet() -> dict[str, Tensor]:
    """Return torchvision's ImageNet weights of ResNet-18, from its cache or its server.

    Raises:
        InputError: they are not in the cache and the download failed.
    """
    from torchvision.models import ResNet18_Weights

    weights = ResNet18_Weights.IMAGENET1K_V1
    try:
        return weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except Exception as error:  # no network, no such host, a cut file, an unwritable cache
        reason = " ".join(str(error).split()) or repr(error)
        raise InputError(
            f"ImageNet weights could not be loaded from {weights.url} ({reason}); put that file "
            f"into {torch.hub.get_dir()}/checkpoints, or set model.pretrained to none"
        ) from None


def take_imagenet(
    backbone: ResNet18, weights: Mapping[str, Tensor], mean: Sequence[float]
) -> list[str]:
    """Copy every layer that fits into `backbone`, in place.

    The weights expect (RGB / 255 - MEAN) / STD, this project feeds RGB - `mean` on the scale
    0..255. The scale goes into the first convolution, the shift of its output into the mean of the
    norm that follows. So both compute the same, except at the image's border where `mean` differs
    from ImageNet's, because the zeros around the image then stand for another colour.

    Args:
        backbone: a fresh network.
        weights: torchvision's state dict.
        mean: RGB mean that is subtracted from images, 0..255.

    Returns:
        torchvision's names of the layers that were taken, in the order of the network.
    """
    taken = []
    with torch.no_grad():
        for name, layer in backbone.named_modules():
            theirs = renamed(f"backbone.{name}.", RESNET18)
            # Batch counters are absent from files as old as these, and nothing depends on them.
            own = {k: v for k, v in layer.state_dict().items() if k != "num_batches_tracked"}
            found = {key: weights.get(theirs + key) for key in own}
            fits = all(
                found[key] is not None and found[key].shape == value.shape
                for key, value in own.items()
            )
            if own and fits and not list(layer.children()):
                layer.load_state_dict(found, strict=False)
                taken.append(theirs.removesuffix("."))
        scaled = backbone.conv.weight / (255 * torch.tensor(STD)).view(3, 1, 1)
        backbone.conv.weight.copy_(scaled)
        shift = 255 * torch.tensor(MEAN) - torch.tensor(mean)
        backbone.norm.running_mean += scaled.sum((2, 3)) @ shift
    return taken
