import pickle

import pytest
import torch

from eacnet.errors import InputError
from eacnet.pretrained.published import load_published


def test_every_published_value_arrives(reference):
    state = reference("dab-pooled").state
    model = load_published(state)
    assert sorted(value.sum().item() for value in state.values()) == sorted(
        value.sum().item() for value in model.state_dict().values()
    )
    assert not model.training


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"model": state},
        lambda state: {"epoch": 3, "model": state},
        lambda state: {"epoch": 3, "state_dict": state, "best_acc": 0.5},
        lambda state: {"module." + name: value for name, value in state.items()},
        lambda state: {"model": {"module." + name: value for name, value in state.items()}},
        lambda state: {"module.model." + name: value for name, value in state.items()},
        lambda state: {"_orig_mod.module." + name: value for name, value in state.items()},
    ],
)
def test_all_wrappings(wrap, reference, tmp_path):
    published = reference("dab-none")
    torch.save(wrap(published.state), tmp_path / "model.pth")
    image, logits = published.pairs[1]
    with torch.no_grad():
        ours = load_published(tmp_path / "model.pth")(image)
    assert (ours - logits).abs().max() < 1e-4 * logits.abs().max()


def test_the_number_of_classes_follows_from_the_shapes(reference):
    state = reference("dab-none").state
    state["classifier.0.conv.weight"] = state["classifier.0.conv.weight"][:11]
    assert load_published(state).num_classes == 11


@pytest.mark.parametrize("name", ["erf-full", "enet-pooled", "resnet18-pooled"])
def test_names_that_do_not_tell_full_from_pooled(name, reference):
    state = reference(name).state
    assert load_published(state).calibration_name == "pooled"
    assert load_published(state, "full").calibration_name == "full"


def test_files_from_before_batch_counters(reference):
    state = reference("dab-none").state
    old = {name: value for name, value in state.items() if "num_batches" not in name}
    assert len(old) < len(state)
    load_published(old)


def test_cgnet_with_its_dropout_before_the_classifier(reference):
    state = reference("cgnet").state
    state["classifier.1.conv.weight"] = state.pop("classifier.0.conv.weight")
    assert load_published(state).backbone_name == "cgnet"


def test_a_rest_beside_the_auxiliary_heads_is_refused(reference):
    state = reference("pidnet_s").state | {"seghead_extra.bn1.weight": torch.ones(64)}
    with pytest.raises(InputError, match=r"not understood: seghead_extra\.bn1\.weight$"):
        load_published(state)


def test_does_not_share_memory_with_its_source(reference):
    state = reference("dab-none").state
    model = load_published(state)
    with torch.no_grad():
        model.classifier.weight.zero_()
    assert state["classifier.0.conv.weight"].any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("bn_prelu_2.bn.weight"), "missing: bn_prelu_2.bn.weight$"),
        (lambda s: s.update(head=torch.ones(1)), "not understood: head$"),
        (lambda s: s.pop("classifier.0.conv.weight"), "none of their classifiers"),
        (
            lambda s: s.update({"bn_prelu_2.bn.weight": torch.ones(7)}),
            r"wrong shape: bn_prelu_2.bn.weight \(7,\) instead of \(131,\)",
        ),
        (lambda s: s.pop("eac_module.gamma"), "missing: eac_module.gamma$"),
        (lambda s: s.update({"classifier.0.conv.weight": torch.tensor(3)}), "num_classes is 1"),
        (lambda s: s.update(epoch=3), "holds more than tensors: epoch"),
    ],
)
def test_a_checkpoint_that_does_not_fit(change, message, reference):
    state = reference("dab-pooled").state
    change(state)
    with pytest.raises(InputError, match=message):
        load_published(state)


@pytest.mark.parametrize(
    ("name", "calibration", "message"),
    [
        ("dab-pooled", "none", "not understood: eac_module.gamma"),
        ("dab-none", "full", "missing: eac.gamma"),
        ("dab-pooled", "full", r"holds calibration pooled by its names \(eac_module"),
        ("dab-full", "pooled", r"holds calibration full by its names \(pam"),
        ("dab-pooled", "half", "state dict: unknown calibration 'half'"),
        ("erfnet-decoder", "pooled", "state dict: backbone erfnet has no coarse scores"),
    ],
)
def test_a_calibration_that_the_checkpoint_does_not_have(name, calibration, message, reference):
    with pytest.raises(InputError, match=message):
        load_published(reference(name).state, calibration)


def test_another_network(tmp_path):
    torch.save({f"features.{i}.weight": torch.ones(1) for i in range(9)}, tmp_path / "vgg.pth")
    with pytest.raises(InputError, match=r"vgg.pth is of no .* features.0.weight, .* and 6 more$"):
        load_published(tmp_path / "vgg.pth")


@pytest.mark.parametrize("content", [[torch.ones(1)], torch.ones(2), {1: torch.ones(1)}, {}])
def test_no_state_dict(content, tmp_path):
    torch.save(content, tmp_path / "model.pth")
    with pytest.raises(InputError, match=r"model\.pth"):
        load_published(tmp_path / "model.pth")


@pytest.mark.parametrize("length", [0, 10, 1000, -1000])
def test_truncated_file(length, tmp_path):
    torch.save({"weight": torch.ones(5000)}, tmp_path / "model.pth")
    (tmp_path / "cut.pth").write_bytes((tmp_path / "model.pth").read_bytes()[:length])
    with pytest.raises(InputError, match="could not be read") as caught:
        load_published(tmp_path / "cut.pth")
    assert "\n" not in str(caught.value)


class Malicious:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("write", [torch.save, lambda x, path: path.write_bytes(pickle.dumps(x))])
def test_nothing_in_a_malicious_file_is_run(write, tmp_path):
    write({"model": Malicious(tmp_path / "run")}, tmp_path / "model.pth")
    with pytest.raises(InputError, match="nothing in it was run") as caught:
        load_published(tmp_path / "model.pth")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="is missing"):
        load_published(tmp_path / "model.pth")
