from eacnet.benchmark.cases import Case, cases
from eacnet.config.benchmark import Grid


def test_every_combination_once_in_order():
    first = Grid(
        networks=["dab-pooled", "erf-none"], forms=["eager"], sizes=[(8, 16), (16, 32)],
        batches=[1, 2],
    )  # fmt: skip
    again = Grid(networks=["dab-pooled"], forms=["eager", "compile"], sizes=[(8, 16)])
    assert cases([first, again]) == [
        Case("dab-pooled", "eager", "fp32", 8, 16, 1),
        Case("erf-none", "eager", "fp32", 8, 16, 1),
        Case("dab-pooled", "eager", "fp32", 8, 16, 2),
        Case("erf-none", "eager", "fp32", 8, 16, 2),
        Case("dab-pooled", "eager", "fp32", 16, 32, 1),
        Case("erf-none", "eager", "fp32", 16, 32, 1),
        Case("dab-pooled", "eager", "fp32", 16, 32, 2),
        Case("erf-none", "eager", "fp32", 16, 32, 2),
        Case("dab-pooled", "compile", "fp32", 8, 16, 1),
    ]


def test_networks_by_name():
    found = [
        Case(name, "eager", "bf16", 8, 16) for name in ("dab-pooled", "resnet18-none", "erfnet")
    ]
    assert [case.backbone for case in found] == ["dab", "resnet18", "erfnet"]
    assert [case.calibration for case in found] == ["pooled", "none", "none"]
    assert found[0].reference == Case("dab-pooled", "eager", "fp32", 8, 16)
