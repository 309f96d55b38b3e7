from copy import deepcopy
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from eacnet.config.params import load_params
from eacnet.errors import InputError

ROOT = Path(__file__).parents[2]
GRID = {"networks": ["dab-pooled"], "forms": ["published"], "sizes": [[64, 128]]}


def changed(tmp_path: Path, key: str, value: object) -> Path:
    yaml = YAML(typ="safe")
    params = yaml.load(ROOT / "params.yaml")
    *parents, last = key.split(".")
    node = params
    for parent in parents:
        node = node[parent]
    node[last] = value
    path = tmp_path / "params.yaml"
    yaml.dump(params, path)
    return path


def test_every_published_recipe_is_as_its_paper_says():
    recipes = load_params(ROOT / "params.yaml").recipes
    sgd, adam, camvid = (recipes[name] for name in ("cityscapes", "cityscapes_adam", "camvid"))
    assert (sgd.epochs, sgd.batch, sgd.crop) == (1000, 8, (512, 1024))
    assert (sgd.optimiser.name, sgd.optimiser.lr, sgd.optimiser.momentum) == ("sgd", 0.045, 0.9)
    assert sgd.optimiser.weight_decay == 1e-4
    assert (adam.epochs, adam.optimiser.lr, adam.schedule.step) == (400, 5e-4, "epoch")
    assert (sgd.loss.name, sgd.loss.threshold, sgd.loss.keep) == ("ohem", 0.7, 1 / 16)
    assert (camvid.epochs, camvid.batch, camvid.crop) == (1000, 16, (360, 480))
    assert (camvid.optimiser.lr, camvid.optimiser.weight_decay) == (1e-3, 2e-4)
    assert len(sgd.loss.class_weights) == 19
    assert (sgd.loss.class_weights[0], sgd.loss.class_weights[-1]) == (0.8373, 1.0507)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("dataset", "kitti", ["dataset is 'kitti'", "'synthetic'", "'camvid'"]),
        ("variant", "_strong", ["variant is '_strong'", "'synthetic_strong'", "''"]),
        ("seed", -1, ["seed is -1", "greater than or equal to 0"]),
        ("seed", 1.5, ["seed is 1.5", "integer"]),
        ("ablation.seeds", [1.0], ["ablation.seeds.0 is 1.0", "integer"]),
        ("ablation.seeds", [True], ["ablation.seeds.0 is True", "integer"]),
        ("recipes.camvid.epochs", True, ["recipes.camvid.epochs is True", "integer"]),
        ("recipes.camvid.batch", 10**19, ["recipes.camvid.batch is 1", "less than"]),
        ("recipes.camvid.optimiser.lr", 1e300, ["optimiser.lr is 1e+300", "less than"]),
        ("recipes.camvid.calibration_lr", 1e300, ["calibration_lr is 1e+300", "less than"]),
        ("hardware.keep_gib", 1e300, ["hardware.keep_gib is 1e+300", "less than"]),
        ("hardware.workers", 10**19, ["hardware.workers is 1", "less than"]),
        ("datasets.synthetic.train", ["train"] * 2, ["every split once", "train is there twice"]),
        (
            "recipes.synthetic.init",
            "models/synthetic/../synthetic/main.safetensors",
            ["which this experiment writes itself", "a copy elsewhere"],
        ),
        ("model.calib", "perhaps", ["model.calib is 'perhaps'", "boolean"]),
        ("model.backbone", "vgg", ["model.backbone is 'vgg'", "'dab', 'erf'"]),
        ("model.backbon", "dab", ["unknown key model.backbon"]),
        ("recipes.camvid.crop", [360], ["recipes.camvid.crop.1 is missing"]),
        ("recipes.camvid.scales", [], ["recipes.camvid.scales is []", "at least 1"]),
        ("recipes.camvid.batch", 0, ["recipes.camvid.batch is 0", "greater than 0"]),
        ("recipes.camvid.optimiser.lr", "fast", ["optimiser.lr is 'fast'", "valid number"]),
        ("recipes.camvid.optimiser.lr", float("nan"), ["optimiser.lr is nan"]),
        ("recipes.camvid.optimiser.lr", True, ["optimiser.lr is True", "valid number"]),
        ("recipes.camvid.optimiser.lr", "0.1", ["optimiser.lr is '0.1'", "valid number"]),
        ("recipes.camvid.scales", [True], ["recipes.camvid.scales.0 is True"]),
        ("recipes.camvid.loss.class_weights", [1.0, True], ["class_weights.1 is True"]),
        ("hardware.keep_gib", True, ["hardware.keep_gib is True"]),
        ("raw", "~/data", ["raw is", "~/data", "without ~"]),
        ("raw", "a\0b", ["raw is 'a\\x00b'", "without control characters"]),
        ("recipes.camvid.init", "a\0b", ["recipes.camvid.init is", "without control characters"]),
        ("variant", "/" * 5000, ["variant is '////", "///... of synthetic; allowed"]),
        ("recipes.camvid.optimiser.momentum", 0.9, ["adam takes no momentum", "choose sgd"]),
        ("recipes.camvid.loss.keep", 0.5, ["cross_entropy takes no keep", "choose ohem"]),
        ("recipes.camvid.optimiser", {"nam": "sgd"}, ["unknown key", "optimiser.nam"]),
        ("recipes.camvid.loss.class_weights", "sqrt", ["class_weights is 'sqrt'", "'log'"]),
        ("recipes.camvid.loss.class_weights", [1, -1], ["class_weights.1 is -1"]),
        ("recipes.synthetic.epochs", -1, ["recipes.synthetic.epochs is -1", "equal to 0"]),
        ("recipes.synthetic.epochs", 0, ["recipes.synthetic.epochs is 0", "init is null"]),
        ("datasets.camvid.train", [], ["datasets.camvid.train is []"]),
        ("datasets.synthetic.size", [4096, 8192], ["datasets.synthetic.size.0 is 4096", "1024"]),
        ("ablation.seeds", [], ["ablation.seeds is []"]),
        ("benchmark", "huge", ["benchmark is 'huge'", "full, gpu, quick"]),
        ("recipes.synthetic.trains", "calibration", ["'calibration'", "'all' where init is null"]),
        ("recipes.camvid.trains", "head", ["recipes.camvid.trains is 'head'", "'calibration'"]),
        ("recipes.camvid.calibration_lr", 0, ["calibration_lr is 0", "greater than 0"]),
        ("recipes.camvid_frozen.auxiliary", True, ["trains is 'calibration'", "auxiliary is true"]),
        ("recipes.camvid_frozen.init", None, ["camvid_frozen.trains is", "where init is null"]),
        ("recipes.synthetic.auxiliary", True, ["synthetic.auxiliary is true", "dab has no"]),
        ("benchmarks.quick.rounds", 0, ["benchmarks.quick.rounds is 0", "greater than 0"]),
        ("benchmarks.quick.rows", [{**GRID, "networks": ["vgg-none"]}], ["'vgg-none'", "erfnet"]),
        ("benchmarks.quick.rows", [{**GRID, "forms": ["fast"]}], ["forms.0 is 'fast'", "eager"]),
        ("benchmarks.quick.rows", [{**GRID, "precisions": ["bf16"]}], ["published", "in fp32"]),
        ("benchmarks.quick.rows", [{**GRID, "networks": ["model"]}], ["'model'", "dab-pooled"]),
        ("benchmarks.quick.modules", [{**GRID, "forms": ["openvino"]}], ["modules", "and eager"]),
        ("benchmarks.quick.modules", [{**GRID, "batches": [2]}], ["modules", "batch 1"]),
        ("benchmarks.quick.rows", [], ["benchmarks.quick", "a plan with rows or training"]),
        (
            "benchmarks.training.training",
            [{"networks": ["dab-none"], "recipe": "x"}],
            ["benchmarks.training trains by 'x'", "camvid"],
        ),
        ("ablation.seeds", [1, 2, 1], ["1 is there twice"]),
        ("ablation.calibrations", ["none", "none"], ["none is there twice"]),
        ("ablation.calibrations", ["half"], ["ablation.calibrations.0 is 'half'", "'pooled'"]),
        ("ablation.backbones", ["dab", "erf", "dab"], ["dab is there twice"]),
        ("ablation.backbones", ["vgg"], ["ablation.backbones.0 is 'vgg'", "'dab', 'erf'"]),
        ("ablation.backbones", ["erfnet"], ["ablation.backbones.0 is 'erfnet'", "'dab', 'erf'"]),
        ("ablation.baselines", ["dab"], ["ablation.baselines.0 is 'dab'", "'erfnet'"]),
    ],
)
def test_a_bad_value_gets_one_line_that_names_it(tmp_path, key, value, expected):
    with pytest.raises(InputError) as caught:
        load_params(changed(tmp_path, key, value))
    message = str(caught.value)
    assert "\n" not in message
    assert all(part in message for part in expected), message


def test_a_start_behind_links_that_lead_in_a_circle_is_left_to_who_reads_it(tmp_path):
    (tmp_path / "m").symlink_to("m")
    params = load_params(changed(tmp_path, "recipes.synthetic.init", f"{tmp_path}/m"))
    assert params.recipe.init == f"{tmp_path}/m"


@pytest.mark.parametrize("text", ["a: [1, 2", "- just\n- a list", "", "\x00"])
def test_what_is_no_parameter_file_gets_one_line(tmp_path, text):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_params(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="is missing"):
        load_params(tmp_path / "params.yaml")


def test_scientific_notation_is_a_number_as_in_yaml_1_2(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text((ROOT / "params.yaml").read_text().replace("lr: 0.045", "lr: 45e-3"))
    assert load_params(path).recipes["cityscapes"].optimiser.lr == 0.045


@pytest.mark.parametrize(
    ("calib", "attention", "expected"),
    [(True, "pooled", "pooled"), (True, "full", "full"), (False, "pooled", "none")],
)
def test_calibration_follows_both_switches(tmp_path, calib, attention, expected):
    model = {"backbone": "dab", "calib": calib, "attention": attention}
    assert load_params(changed(tmp_path, "model", model)).model.calibration == expected


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        (
            "model.pretrained",
            "imagenet",
            ["model.pretrained is 'imagenet'", "'none' with backbone"],
        ),
        ("model.pretrained", "coco", ["model.pretrained is 'coco'", "'none' or 'imagenet'"]),
        ("recipes.synthetic.init", "", ["recipes.synthetic.init is ''", "at least 1 character"]),
    ],
)
def test_where_a_training_starts_is_checked(tmp_path, key, value, expected):
    with pytest.raises(InputError) as caught:
        load_params(changed(tmp_path, key, value))
    assert all(part in str(caught.value) for part in expected), caught.value


def test_a_training_starts_from_one_thing_alone(tmp_path):
    model = {"backbone": "resnet18", "calib": True, "attention": "pooled", "pretrained": "imagenet"}
    path = changed(tmp_path, "model", model)
    params = load_params(path)
    assert params.model.weights_for("resnet18") == "imagenet"
    assert params.model.weights_for("dab") == "none"
    path.write_text(path.read_text().replace("init: null", "init: a.safetensors"))
    with pytest.raises(
        InputError, match=r"recipes.synthetic.init is 'a.safetensors' and model.pre"
    ):
        load_params(path)


def test_a_recipe_whose_name_can_be_no_files_name_is_refused(tmp_path):
    recipe = YAML(typ="safe").load(ROOT / "params.yaml")["recipes"]["synthetic"]
    for name in ("synthetic/x", "../x", "a b", "x\n", ""):
        with pytest.raises(InputError, match=r"(?s)recipes.* match pattern"):
            load_params(changed(tmp_path, "recipes", {"synthetic": recipe, name: deepcopy(recipe)}))


def test_a_variant_that_makes_it_another_datasets_experiment_is_refused(tmp_path):
    path = changed(tmp_path, "dataset", "camvid")
    values = YAML(typ="safe").load(path)
    YAML(typ="safe").dump(values | {"variant": "720"}, path)
    with pytest.raises(InputError, match="recipes has no 'camvid720' of camvid; allowed: ''") as at:
        load_params(path)
    assert "'720'" not in str(at.value).partition("allowed")[2]
