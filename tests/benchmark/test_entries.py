from eacnet.benchmark.entries import Entry, entries
from eacnet.config.benchmark import Cross


def test_every_combination_once_in_order():
    first = Cross(
        networks=["model", "erf-none"], forms=["eager"], sizes=[(8, 16), (16, 32)], batches=[1, 2]
    )
    again = Cross(networks=["dab-pooled"], forms=["eager", "compile"], sizes=[(8, 16)])
    found = entries([first, again], "dab-pooled")
    assert found == [
        Entry("dab-pooled", "eager", "fp32", 8, 16, 1),
        Entry("erf-none", "eager", "fp32", 8, 16, 1),
        Entry("dab-pooled", "eager", "fp32", 8, 16, 2),
        Entry("erf-none", "eager", "fp32", 8, 16, 2),
        Entry("dab-pooled", "eager", "fp32", 16, 32, 1),
        Entry("erf-none", "eager", "fp32", 16, 32, 1),
        Entry("dab-pooled", "eager", "fp32", 16, 32, 2),
        Entry("erf-none", "eager", "fp32", 16, 32, 2),
        Entry("dab-pooled", "compile", "fp32", 8, 16, 1),
    ]


def test_networks_by_name():
    names = ["dab-pooled", "resnet18-none", "enet-point", "erf-local", "erfnet", "lraspp"]
    found = entries([Cross(networks=names[:-1], forms=["eager"], sizes=[(8, 16)])], "model")
    found.append(Entry("lraspp", "eager", "fp32", 8, 16))
    assert [entry.backbone for entry in found] == [name.partition("-")[0] for name in names]
    calibrations = ["pooled", "none", "point", "local", "none", "none"]
    assert [entry.calibration for entry in found] == calibrations
    assert found[0].reference == Entry("dab-pooled", "eager", "fp32", 8, 16)
