import warnings

import pytest
import torch
from torch import nn

from eacnet.inference.channels_last import channels_last
from eacnet.inference.folded import Folded, folded
from eacnet.models.label_map import label_map


@pytest.mark.parametrize("backbone", ["dab", "erf", "enet", "resnet18", "erfnet"])
@pytest.mark.parametrize("std", [(1.0, 1.0, 1.0), (50.0, 60.0, 70.0)])
def test_the_folded_network_gives_the_scores_of_the_plain_one(network, pixels, backbone, std):
    model = network(backbone, "none", std=std)
    image = pixels(41, 70, 2)
    mean = torch.tensor(model.card.mean)
    with torch.no_grad():
        plain = model.coarse(((image - mean) / torch.tensor(std)).permute(0, 3, 1, 2))
        ours = (network := Folded(model))(image)
    assert not any(each.requires_grad for each in network.parameters())
    torch.testing.assert_close(ours, plain, rtol=1e-4, atol=1e-5 * plain.abs().max().item())


@pytest.mark.parametrize(
    "backbone", ["pidnet_s", "ddrnet23_slim", "bisenetv2", "fast_scnn", "cgnet", "lraspp"]
)
def test_folding_is_exact_where_gates_amplify_rounding(network, pixels, backbone):
    """In float64: drawn weights magnify float32's rounding up to a thousandfold."""
    model = network(backbone, "none").double()
    whole = nn.Sequential(model.backbone, model.classifier)
    images = pixels(64, 96, 2).permute(0, 3, 1, 2).double() - 128
    with torch.no_grad():
        ours, plain = folded(whole, model.multiple)(images), whole(images)
    torch.testing.assert_close(ours, plain, rtol=1e-9, atol=1e-9 * plain.abs().max().item())


@pytest.mark.parametrize("backbone", ["bisenetv2", "fast_scnn"])
@pytest.mark.parametrize("size", [(41, 70), (9, 33)])
def test_scores_of_the_padding_are_cut_off(network, pixels, backbone, size):
    model = network(backbone, "none").double()
    images = pixels(*size, 2).permute(0, 3, 1, 2).double() - 128
    with torch.no_grad():
        ours, plain = Folded(model, torch.float64).coarse(images), model.coarse(images)
    assert ours.shape[-2:] == tuple(-(-length // 8) for length in size)
    torch.testing.assert_close(ours, plain, rtol=1e-9, atol=1e-9 * plain.abs().max().item())


# Norms of the pyramid come before their convolutions, as does that of the classifier; so do those
# of fusions in CGNet, and the one of the mean in BiSeNetV2.
APART = {"pidnet_s": 8 + 1, "ddrnet23_slim": 11 + 1, "bisenetv2": 1, "fast_scnn": 0, "cgnet": 3}


@pytest.mark.parametrize(("backbone", "apart"), APART.items())
def test_the_norms_that_follow_a_convolution_are_folded(network, backbone, apart):
    model = network(backbone, "none")
    whole = nn.Sequential(model.backbone, model.classifier)
    modules = list(folded(whole, model.multiple).modules())
    assert not any(isinstance(module, nn.BatchNorm2d) for module in modules)
    assert sum(type(module).__name__ == "ScaleShift" for module in modules) == apart


@pytest.mark.parametrize("backbone", ["dab", "erf", "enet", "resnet18", "erfnet"])
def test_no_batch_norm_is_left_and_none_that_follows_a_convolution_stays_apart(network, backbone):
    model = network(backbone, "none")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    modules = list(folded(model.backbone, model.stride).modules())
    assert not any(isinstance(module, nn.BatchNorm2d) for module in modules)
    apart = sum(type(module).__name__ == "ScaleShift" for module in modules)
    # Norms before a convolution: 9 modules x 2 and 3 fusions in DAB, and the max-pools' share.
    assert apart == {"dab": 9 * 2 + 3 + 1, "erf": 3, "erfnet": 3}.get(backbone, 0)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize(("stride", "rows", "columns"), [(8, 7, 9), (16, 5, 3), (8, 1, 1)])
@pytest.mark.parametrize("strip", [1, 3 * 5 * 72 * 64, 1 << 30])
def test_label_map_is_that_of_whole_planes(monkeypatch, stride, rows, columns, strip):
    monkeypatch.setattr("eacnet.models.label_map.STRIP", strip)
    scores = torch.randn(2, 5, rows, columns, generator=torch.Generator().manual_seed(1))
    for cut in (0, stride - 1):
        size = rows * stride - cut, columns * stride - cut
        planes = nn.functional.interpolate(
            scores, scale_factor=float(stride), mode="bilinear", align_corners=False
        )
        truth = planes.argmax(1)[:, : size[0], : size[1]]
        labels = label_map(scores, size, stride)
        assert labels.dtype == torch.uint8
        assert torch.equal(labels, truth.to(torch.uint8))


def test_label_map_of_scores_at_full_size():
    scores = torch.randn(2, 5, 16, 24)
    assert torch.equal(label_map(scores, (13, 20), 8), scores.argmax(1)[:, :13, :20].byte())


class Odd(nn.Module):
    """Layers between an ordinary beginning and end, in a place where a norm is folded."""

    def __init__(self, *layers):
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, padding=1, bias=False)
        self.layers = nn.Sequential(*layers)
        self.last = nn.Conv2d(6, 4, 1)

    def forward(self, x):
        return self.last(self.layers(self.first(x)).relu())


class Doubled(nn.Conv2d):
    def forward(self, x):
        return 2 * super().forward(x)


class Centred(nn.BatchNorm2d):
    def forward(self, x):
        return super().forward(x) - x.mean((2, 3), keepdim=True)


class Steep(nn.PReLU):
    def forward(self, x):
        return 3 * super().forward(x)


class Residual(nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


class Shared(nn.Module):
    """One convolution before two norms, and its weights once more."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(6, 6, 3, padding=1)
        self.norms = nn.ModuleList([nn.BatchNorm2d(6), nn.BatchNorm2d(6)])

    def forward(self, x):
        return self.norms[0](self.conv(x)) + self.norms[1](self.conv(x)) * self.conv.weight.mean()


class Tapped(Shared):
    """What a convolution gives goes elsewhere, too."""

    def forward(self, x):
        maps = self.conv(x)
        return self.norms[0](maps) + maps


class Joined(nn.Module):
    """A norm behind a concatenation: of maps that are no convolution's, or along rows."""

    def __init__(self, dimension, twice):
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv2d(6, 6, 1), nn.Conv2d(6, 6, 1)])
        self.norm = nn.BatchNorm2d(6 if dimension == 2 else 18)
        self.back = nn.Conv2d(6 if dimension == 2 else 18, 6, 1)
        self.dimension, self.twice = dimension, twice

    def forward(self, x):
        first = self.convs[0](x)
        parts = (first, first, x) if self.twice else (first, x, x.sigmoid())
        if self.dimension == 2:
            parts = (self.convs[0](x), self.convs[1](x))
        return self.back(self.norm(torch.cat(parts, self.dimension)))


class Branching(nn.Module):
    """Python code that depends on values, which can't be traced."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(6)

    def forward(self, x):
        return self.norm(x) if x.mean() > -1e9 else x


class Narrow(nn.Module):
    """Code whose trace holds for one size alone."""

    def forward(self, x):
        return x * float(x.size(3)) if isinstance(x, torch.Tensor) else x * 64.0


def hooked(module, pre=False):
    if pre:
        module.register_forward_pre_hook(lambda _, inputs: (inputs[0] + 1,))
    else:
        module.register_forward_hook(lambda _module, _inputs, output: 3 * output)
    return module


def replaced(module):
    original = module.forward
    module.forward = lambda x: original(x) - 7
    return module


def conv(**options):
    return nn.Conv2d(6, 6, 3, padding=1, **options)


def norm(**options):
    return nn.BatchNorm2d(6, **options)


def old_weight_norm(module):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nn.utils.weight_norm(module)


ODD = {
    "a subclass of a convolution": lambda: (Doubled(6, 6, 1), norm()),
    "a subclass of a norm": lambda: (conv(), Centred(6)),
    "a subclass of an activation": lambda: (conv(), norm(), Steep(6), conv()),
    "a sequence with a forward of its own": lambda: (Residual(conv(), norm()), norm()),
    "a hook behind a convolution": lambda: (hooked(conv()), norm()),
    "a hook before a convolution": lambda: (hooked(conv(), pre=True), norm()),
    "a hook behind a norm": lambda: (conv(), hooked(norm())),
    "a hook before a norm": lambda: (conv(), hooked(norm(), pre=True)),
    "a hook behind an activation": lambda: (conv(), norm(), hooked(nn.PReLU(6)), norm()),
    "a hook on a sequence": lambda: (hooked(nn.Sequential(conv(), norm())), norm()),
    "a method that was replaced": lambda: (replaced(conv()), norm()),
    "a parametrization": lambda: (nn.utils.parametrizations.weight_norm(conv()), norm()),
    "weight norm by a hook": lambda: (old_weight_norm(conv()), norm()),
    "spectral norm by a hook": lambda: (nn.utils.spectral_norm(conv()), norm()),
    "padding by reflection": lambda: (conv(padding_mode="reflect"), norm()),
    "padding in a circle": lambda: (conv(padding_mode="circular", bias=False), norm()),
    "a shared convolution": lambda: (Shared(),),
    "a tap before the norm": lambda: (Tapped(),),
    "the same norm twice": lambda: [each for each in [norm()] for _ in range(2)],
    "a norm without slopes": lambda: (conv(), norm(affine=False)),
    "a norm of the batch at hand": lambda: (conv(), norm(track_running_stats=False)),
    "groups, transposed": lambda: (nn.ConvTranspose2d(6, 6, 1, groups=3), norm()),
    "transposed": lambda: (nn.ConvTranspose2d(6, 6, 1), norm()),
    "parts that are no convolutions": lambda: (Joined(1, False),),
    "the same part twice": lambda: (Joined(1, True),),
    "a concatenation of rows": lambda: (Joined(2, False),),
    "code that depends on values": lambda: (conv(), Branching()),
    "a trace for one size": lambda: (conv(), norm(), Narrow()),
    "one slope for all channels": lambda: (conv(), norm(), nn.PReLU()),
    "a pool over unequal sides": lambda: (nn.AvgPool2d((3, 1), 1, (1, 0)), norm()),
}


UNKNOWN = ("code that depends on values", "a trace for one size", "a method that was replaced")


def drawn(module):
    """The module in evaluation mode, with statistics and slopes that are no neutral elements."""
    generator = torch.Generator().manual_seed(0)
    for name, value in module.state_dict().items():
        if value.ndim == 1:
            value.uniform_(0.5, 1.5, generator=generator)
        assert name
    return module.eval()


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("rewritten", ["folded", "in one layout"])
def test_what_is_not_plain_stays_as_it_is(name, rewritten, network, caplog):
    torch.manual_seed(0)
    module = drawn(Odd(*ODD[name]()))
    images = 60 * torch.randn(2, 3, 16, 24)
    with torch.no_grad():
        truth = module(images)
        if rewritten == "folded":
            ours = folded(module, 8)
        else:
            model = network("dab", "none")
            model.backbone, model.classifier = module, nn.Identity()
            ours = channels_last(Folded(model)).network
        torch.testing.assert_close(ours(images), truth, rtol=1e-5, atol=1e-5 * truth.abs().max())
        assert torch.equal(module(images), truth)
    # What is known of is left out, not found out by trying the result.
    assert bool(caplog.text) == (name in UNKNOWN)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("code that depends on values", "control flow"), ("a trace for one size", "other scores")],
)
def test_what_cant_be_traced_runs_as_it_is_and_says_so(name, reason, caplog):
    assert isinstance(folded(drawn(Odd(*ODD[name]())), 8), Odd)
    assert "can't fold batch norms, so the network runs slower: " in caplog.text
    assert reason in caplog.text
