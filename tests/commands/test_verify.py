import csv
import json
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from ruamel.yaml import YAML

from eacnet.data.store import Digest, open_store
from eacnet.datasets.camvid import LABELS as CAMVID
from eacnet.datasets.labels import trained
from eacnet.evaluation import ablation as summary
from eacnet.evaluation.ablation import headline, summarise
from eacnet.evaluation.bootstrap import BOOTSTRAP, draw_images
from eacnet.evaluation.counts import Counts
from eacnet.evaluation.evaluate import evaluate
from eacnet.evaluation.results import details, metrics
from eacnet.files import checksum
from eacnet.models import build_model, save_model
from eacnet.models.complexity import complexity
from eacnet.provenance import cpu_name, versions
from eacnet.report.pages.index import index
from eacnet.verify.recorded import recorded_md5

CLASSES = [{"name": x.name, "category": "", "color": list(x.color)} for x in trained(CAMVID)]
MEAN = [100.0, 110.0, 120.0]
SIZE = (24, 32)
CELLS = [("dab", calibration, 1) for calibration in ("none", "pooled")]


def write_json(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))


def change(path, old, new):
    text = path.read_text()
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1))


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Draw 100 times instead of 10 000, and count what a network computes only once."""
    known = {}

    def counted(model, height, width):
        key = model.backbone_name, model.calibration_name, height, width
        if key not in known:
            known[key] = complexity(model, height, width)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summary, "draw_images", lambda images: draw_images(images, 100))
        patch.setattr("eacnet.models.complexity.complexity", counted)
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project with a report of three tiny networks, its weights and its prepared data."""
    root = tmp_path_factory.mktemp("verify")
    random = np.random.default_rng(0)
    images = random.integers(256, size=(3, *SIZE, 3), dtype=np.uint8)
    labels = random.integers(11, size=(3, 3, 4), dtype=np.uint8).repeat(8, 1).repeat(8, 2)
    store = root / "data/prepared/camvid"
    (store / "test").mkdir(parents=True)
    np.save(store / "test/images.npy", images)
    np.save(store / "test/labels.npy", labels)
    digest = Digest()
    for frame in zip(images, labels, strict=True):
        digest.add(*frame)
    sha256 = digest.hexdigest(np.array([SIZE] * 3))
    splits = {"test": {"frames": 3, "sha256": sha256, "ids": ["a", "b", "c"]}}
    facts = {"classes": CLASSES, "splits": splits, "mean": MEAN, "frequencies": [1 / 11] * 11}
    write_json(store / "dataset.json", facts)
    folder = root / "reports/camvid_tiny"
    cells = {}
    for seed, (backbone, calibration, _) in enumerate([CELLS[1], *CELLS]):
        name = f"{backbone}-{calibration}-1" if seed else "main"
        torch.manual_seed(seed)
        model = build_model(backbone, 11, calibration)
        if calibration != "none":
            torch.nn.init.ones_(model.calibration.gamma)
        weights = root / f"models/camvid_tiny/{name}.safetensors"
        save_model(model, weights, classes=CLASSES, mean=MEAN, std=[1.0] * 3)
        counts = evaluate(
            model, images, labels, num_classes=11, mean=MEAN, device="cpu", progress=False
        )
        results = folder / "cells" / name if seed else folder / name
        counts.save(results / "counts.json")
        source = {
            "split": "test",
            "data": open_store(store).checksum,
            "weights": checksum(weights),
            "device": cpu_name(),
            "threads": torch.get_num_threads(),
            "versions": versions(),
        }
        scores = details(counts, CLASSES)
        write_json(results / "evaluation.json", {**scores, "provenance": source})
        write_json(results / "metrics.json", metrics(counts, CLASSES))
        facts = {"backbone": backbone, "calibration": calibration, "seed": 1, "data": "-"}
        write_json(
            results / "training.json", {**facts, "recipe": {"epochs": 1}, "trained_on": ["train"]}
        )
        with (results / "classes.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerows([("class", "iou"), *scores["class_iou"].items()])
        if seed:
            cells[backbone, calibration, 1] = Counts.load(results / "counts.json")
    groups = []
    for group in summarise(cells, [entry["name"] for entry in CLASSES]):
        cost = complexity(build_model(group["backbone"], 11, group["calibration"]), *SIZE)
        macs = {"height": 24, "width": 32, "total": cost.macs, "attention": cost.attention_macs}
        groups.append({**group, "parameters": cost.parameters, "macs": macs})
    how = {"split": "test", "frames": 3, "bootstrap": BOOTSTRAP}
    write_json(folder / "ablation.json", {**how, "groups": groups})
    write_json(folder / "metrics.json", {"ablation": headline(groups)})
    write_json(folder / "main/attention.json", {"calibration": "pooled"})
    for facts in folder.rglob("training.json"):
        facts.with_name("training.csv").write_text("epoch,loss,lr,val_miou\n1,1.0,0.1,\n")
    links = "[SVG](figures/training.svg) ![it](figures/training.png) [t](tables/a.csv)"
    pages = {
        "README.md": f"59.24 % mIoU {links}",
        "index.html": '<a href="tables/b.csv">',
        "checklist.md": "",
    }
    texts = {"figures/training.png": "", "figures/training.svg": "", "tables/confusion.csv": ""}
    for name, text in {**pages, **texts, "tables/a.csv": "1\n", "tables/b.csv": "2\n"}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return root


@pytest.fixture
def project(made, tmp_path, monkeypatch):
    """A copy that a test may spoil."""
    shutil.copytree(made, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def verify(eacnet, project):
    """Run `eacnet verify` on the report; return exit code, the rows of its table and all output."""

    def run(*arguments):
        code, out, err = eacnet("verify", "reports/camvid_tiny", *arguments)
        table = out.split("\n\n")[0].splitlines()[2:]
        return code, table, out + err

    return run


def test_an_honest_report_is_reproduced_exactly(verify):
    code, table, text = verify("--device", "cpu")
    assert code == 0, text
    assert len(table) == 8
    assert all(row.endswith("exact") for row in table)
    for row in table:
        *_, figures, reproduced, largest, _ = row.split()
        assert (figures, largest) == (reproduced, "0")
        assert int(figures) > 100 or row.startswith("prepared pixels")
    assert "could not" not in text


@pytest.mark.parametrize("file", ["evaluation.json", "metrics.json"])
@pytest.mark.parametrize("run", ["main", "cells/dab-none-1"])
def test_a_figure_changed_in_its_last_digit_is_found(project, verify, run, file):
    path = project / "reports/camvid_tiny" / run / file
    scores = json.loads(path.read_text())
    old = scores["pixel_accuracy"]
    scores["pixel_accuracy"] = round(old + 0.0001, 4)
    path.write_text(json.dumps(scores))
    code, _, text = verify("--counts-only")
    assert code == 1
    assert f"{file} pixel_accuracy: {scores['pixel_accuracy']} in the report, {old} reb" in text
    assert text.splitlines()[-1] == (
        "error: 1 figures of reports/camvid_tiny are not reproduced, see above"
    )


def test_a_changed_ablation_is_found(project, verify):
    path = project / "reports/camvid_tiny/ablation.json"
    ablation = json.loads(path.read_text())
    pooled = ablation["groups"][1]
    pooled["gains"]["none"]["miou"]["images"][1] += 1
    pooled["macs"]["attention"] += 5
    pooled["gains"]["none"]["miou"]["significant"] = True
    path.write_text(json.dumps(ablation))
    code, _, text = verify("--counts-only")
    assert code == 1
    assert "ablation.json dab-pooled.gains.none.miou.images.1: " in text
    assert "ablation.json dab-pooled.macs.attention: " in text
    assert "dab-pooled.gains.none.miou.significant: True in the report" in text
    assert "error: 3 figures" in text


def test_counts_of_another_run_are_found(project, verify):
    cells = project / "reports/camvid_tiny/cells"
    shutil.copy(cells / "dab-none-1/counts.json", cells / "dab-pooled-1/counts.json")
    code, table, text = verify("--counts-only")
    assert code == 1
    rows = [row for row in table if "dab-pooled-1" in row]
    figures, reproduced = rows[0].split()[-4:-2]
    assert int(reproduced) < int(figures)
    assert " more\n" in text


def test_another_networks_scores_are_found_on_scoring_anew(project, verify):
    # The weights are replaced, and the report names the replacement as what was scored.
    weights = project / "models/camvid_tiny/main.safetensors"
    before = checksum(weights)
    torch.manual_seed(9)
    network = build_model("dab", 11, "pooled")
    save_model(network, weights, classes=CLASSES, mean=MEAN, std=[1.0] * 3)
    evaluation = project / "reports/camvid_tiny/main/evaluation.json"
    change(evaluation, before, checksum(weights))
    code, table, _ = verify()
    assert code == 1
    row = next(row for row in table if row.startswith("network scored anew") and " main " in row)
    figures, reproduced = row.split()[-4:-2]
    assert int(reproduced) < int(figures)


def test_another_device_may_deviate_as_far_as_is_said(project, verify):
    path = project / "reports/camvid_tiny/main/evaluation.json"
    scores = json.loads(path.read_text())
    scores["provenance"]["device"] = "another"
    scores["miou"] += 0.04
    path.write_text(json.dumps(scores))
    _, table, text = verify()
    row = next(row for row in table if row.startswith("network") and " main " in row)
    assert row.endswith("0.04  0.05 points, 0.5 of a class")
    assert "Not reproduced (main, network scored anew)" not in text
    # The counts are the report's own: what follows from them stays exact.
    assert "Not reproduced (main, scores from counts)" in text


def test_what_is_not_at_hand_is_said_with_the_way_to_get_it(project, verify, monkeypatch):
    shutil.rmtree(project / "data")
    (project / "models/camvid_tiny/main.safetensors").unlink()
    code, table, text = verify()
    assert code == 3
    assert sum(row.endswith("not checked") for row in table) == 3
    assert verify("--counts-only")[0] == 0
    run = "`dvc exp run -S dataset=camvid -S variant=_tiny"
    (line,) = [line for line in text.splitlines() if "models/camvid_tiny is not here; " in line]
    assert f"network scored anew (main): models/camvid_tiny is not here; {run} -S seed=1" in line
    assert "'ablation.calibrations=[none,pooled]'" in line  # not those of params.yaml
    assert (
        "network scored anew (dab-none-1, dab-pooled-1): data/prepared/camvid is not here;"
        f" `make camvid`, then {run} prepare` makes it" in text
    )
    assert "3 of 7 checks could not be made here" in text


@pytest.mark.parametrize("array", ["images", "labels"])
def test_a_flipped_byte_of_the_prepared_data_is_named(project, verify, array):
    path = project / f"data/prepared/camvid/test/{array}.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    code, table, text = verify()
    assert code == 1
    assert not any(row.startswith("network scored anew") for row in table)
    assert (
        "(all runs): data/prepared/camvid/test holds other pixels than its checksum says; run"
        " `dvc repro -f prepare`\n" in text
    )
    assert verify("--counts-only")[0] == 0


def test_weights_and_data_that_were_not_scored_are_not_taken(project, verify):
    models = project / "models/camvid_tiny"
    shutil.copy(models / "dab-none-1.safetensors", models / "main.safetensors")
    for run in ("main", "cells/dab-none-1", "cells/dab-pooled-1"):
        change(project / f"reports/camvid_tiny/{run}/evaluation.json", '"data": "', '"data": "0')
    code, _, text = verify()
    assert code == 3
    assert "(main): models/camvid_tiny holds other weights than were scored;" in text
    assert "data/prepared/camvid holds other data than was scored;" in text


def test_the_shipped_network_stands_in_where_it_is_the_one_that_was_scored(
    project, verify, monkeypatch
):
    (project / "shipped").mkdir()
    (project / "shipped/another.safetensors").write_bytes(b"another")
    shutil.move(project / "models/camvid_tiny/main.safetensors", project / "shipped")
    monkeypatch.setattr("eacnet.pretrained.shipped.WEIGHTS", project / "shipped")
    code, table, _ = verify()
    assert code == 0
    assert not any(row.endswith("not checked") for row in table)


def test_what_is_no_report_is_refused(eacnet, here):
    code, _, err = eacnet("verify", "reports/camvid_cpu")
    assert code == 1
    assert err == (
        "error: reports/camvid_cpu is no report: it holds no main/evaluation.json;"
        " `dvc exp run -S dataset=camvid -S variant=_cpu` makes it\n"
    )


def spoil(key):
    """Return a function that removes a key of a JSON file, by its dotted path."""

    def change(path):
        content = json.loads(path.read_text())
        *parents, last = key.split(".")
        node = content
        for parent in parents:
            node = node[int(parent) if isinstance(node, list) else parent]
        del node[int(last) if isinstance(node, list) else last]
        path.write_text(json.dumps(content))

    return change


def cut(path):
    path.write_bytes(path.read_bytes()[:-9])


def emptied(path):
    path.write_bytes(b"")


def without_images(path):
    counts = Counts.load(path)
    Counts(*(getattr(counts, f.name)[:0] for f in fields(counts))).save(path)


@pytest.mark.parametrize(
    ("file", "damage", "message"),
    [
        *(
            (f"{run}/counts.json", damage, "counts.json")
            for run in ("main", "cells/dab-pooled-1")
            for damage in (Path.unlink, cut, emptied, without_images, spoil("effect"))
        ),
        ("main/metrics.json", lambda path: path.write_text("{}"), "key miou is missing"),
        ("metrics.json", lambda path: path.write_text("{}"), "key ablation is missing"),
        ("metrics.json", lambda path: path.write_text('{"ablation": NaN}'), "no valid JSON"),
        ("cells/dab-none-1", shutil.rmtree, "cells/dab-none-1/evaluation.json is missing"),
        ("cells", shutil.rmtree, "cells/dab-pooled-1/evaluation.json is missing"),
        ("main", shutil.rmtree, "main/evaluation.json is missing"),
        ("cells/dab-none-1/evaluation.json", Path.unlink, "evaluation.json is missing"),
        ("main/evaluation.json", spoil("coarse.miou"), "key coarse.miou is missing"),
        ("main/evaluation.json", spoil("class_iou.sky"), "confusion is no matrix of 10 by 10"),
        ("main/evaluation.json", spoil("bands.5.class_iou.sky"), "sky: nothing in the report"),
        ("main/evaluation.json", spoil("effect.in_band.broken"), "broken: nothing in the report"),
        ("main/metrics.json", spoil("boundary_f1"), "boundary_f1: nothing in the report"),
        ("main/classes.csv", cut, "nothing in the report"),
        ("main/classes.csv", emptied, "0 of"),
        ("ablation.json", spoil("groups.1"), "cells/dab-pooled-1"),
        (
            "ablation.json",
            spoil("groups.1.gains.none.miou"),
            "gains.none.miou.mean: nothing in the report",
        ),
        ("ablation.json", spoil("groups.1.macs"), "key groups.1.macs is missing"),
        ("ablation.json", Path.unlink, "ablation.json is missing"),
    ],
)
def test_whatever_is_missing_damaged_or_incomplete_is_no_success(
    project, verify, file, damage, message
):
    damage(project / "reports/camvid_tiny" / file)
    code, _, text = verify("--counts-only")
    assert code == 1, text
    assert message in text or "are not reproduced" in text
    assert "Traceback" not in text


def test_a_cell_that_the_recorded_parameters_name_is_missed(project, verify):
    ablation = {"backbones": ["dab"], "calibrations": ["none", "pooled"], "seeds": [1, 2]}
    stage = {
        "cmd": "x",
        "params": {"params.yaml": {"ablation": ablation}},
        "outs": [
            {"path": "reports/camvid_tiny/ablation.json"},
            {"path": "reports/camvid_tiny/main/training.json"},
        ],
    }
    write_json(project / "dvc.lock", {"stages": {"summarise@camvid_tiny": stage}})
    code, _, text = verify("--counts-only")
    assert code == 1
    assert "ablation.json lacks dab-none-2, dab-pooled-2, which the experiment's" in text
    assert "dvc.lock reports/camvid_tiny/main/training.json: " in text


@pytest.fixture(scope="module")
def recorded_once(made, tmp_path_factory):
    """The project of `made`, whose dvc.lock is DVC's own record of the report's files."""
    root = shutil.copytree(made, tmp_path_factory.mktemp("recorded") / "project")
    inside = "reports/camvid_tiny"
    write_json(root / "reports/speed/here.json", {"fps": 30})
    stages = {
        "report": [
            f"{inside}/{name}"
            for name in ("README.md", "index.html", "checklist.md", "figures", "tables")
        ],
        "evaluate": [f"{inside}/main"],
        "dab-none-1": [f"{inside}/cells/dab-none-1"],
        "dab-pooled-1": [f"{inside}/cells/dab-pooled-1"],
        "summarise": [f"{inside}/ablation.json", f"{inside}/metrics.json"],
        "benchmark": ["reports/speed"],
    }
    made = {
        name: {"cmd": "x", "outs": [{path: {"cache": False}} for path in paths]}
        for name, paths in stages.items()
    }
    cell = {"dab-pooled-1": {**made.pop("dab-pooled-1"), "wdir": "../.."}}  # a lock of its own
    write_json(root / "dvc.yaml", {"stages": made})
    write_json(root / "stages/ablation/dvc.yaml", {"stages": cell})
    for command in (["init", "--no-scm", "-q"], ["commit", "--force", "-q"]):
        subprocess.run([sys.executable, "-m", "dvc", *command], cwd=root, check=True)
    return root


@pytest.fixture
def recorded(recorded_once, project):
    """`project` with that record."""
    return shutil.copytree(recorded_once, project, dirs_exist_ok=True)


def test_files_that_dvc_recorded_and_that_were_edited_since_are_no_success(recorded, verify):
    assert verify("--counts-only")[0] == 0
    inside = recorded / "reports/camvid_tiny"
    (inside / "README.md").write_text("99.99 % mIoU")
    (inside / "tables/b.csv").write_text("3\n")
    code, _, text = verify("--counts-only")
    assert code == 1
    for name in ("README.md", "tables"):
        assert f"dvc.lock reports/camvid_tiny/{name}: " in text
    assert "dvc.lock reports/camvid_tiny/ablation.json" not in text


@pytest.fixture
def stages(recorded):
    """Return a function that changes the stages of dvc.lock, in place."""

    def rewrite(change):
        yaml, path = YAML(), recorded / "dvc.lock"
        lock = yaml.load(path)
        change(lock["stages"])
        yaml.dump(lock, path)

    return rewrite


def test_a_report_that_dvc_recorded_nothing_of_is_not_checked_in_full(project, verify):
    write_json(project / "dvc.lock", {"stages": {}})
    code, _, text = verify("--counts-only")
    assert code == 3
    assert "dvc.lock records nothing of camvid_tiny" in text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("stages: {oops: text}", "key stages.oops is 'text'"),
        ("stages: {a: {outs: [{md5: x}]}}", "key stages.a.outs.0.path is missing"),
        ("stages: {a: {outs: [[x]]}}", "key stages.a.outs.0 is ['x']"),
        ("stages: {a: []}", "key stages.a is []"),
        ("stages: {a: true}", "key stages.a is True"),
        ("stages: {a: {params: {params.yaml: {ablation: 1}}}}", "ablation is 1"),
        ("", "is None"),
        ("stages: {", "while parsing"),
    ],
)
def test_a_record_that_is_damaged_is_one_line(project, verify, text, why):
    (project / "dvc.lock").write_text(f"schema: '2.0'\n{text}" if text else "")
    code, _, said = verify("--counts-only")
    assert code == 1
    assert said.startswith("error: dvc.lock is no lock file of DVC's (")
    assert (why in said, said.count("\n")) == (True, 1)


@pytest.mark.parametrize(
    ("stage", "names"),
    [
        ("report", ["README.md"]),
        ("report", ["index.html"]),
        ("report", ["checklist.md"]),
        ("report", ["figures"]),
        ("report", ["figures/training.svg"]),
        ("report", ["tables/a.csv", "tables/b.csv"]),
        ("report", ["tables/confusion.csv"]),
        ("evaluate", ["main/attention.json"]),
        ("evaluate", ["main/training.csv"]),
        ("dab-none-1", ["cells/dab-none-1/training.csv"]),
        ("benchmark", ["../speed"]),
    ],
)
def test_what_is_missing_with_its_record_is_missed_all_the_same(
    recorded, verify, stages, stage, names
):
    inside = recorded / "reports/camvid_tiny"
    (inside / "tables/speed.csv").touch()
    with (inside / "index.html").open("a") as page:
        page.write('<a href="tables/speed.csv">')
    stages(lambda all_: all_.pop(stage))
    stages(lambda all_: all_.pop("report", None))
    assert verify("--counts-only")[0] == 3
    for path in (inside / name for name in names):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    code, table, text = verify("--counts-only")
    assert code == 1
    assert sum(row.startswith("files of the report") for row in table) == 1
    line = next(line for line in text.splitlines() if "files of the report (all runs): " in line)
    assert all(name.removeprefix("../") in line for name in names)


def test_a_record_that_is_gone_is_not_checked(recorded, verify):
    (recorded / "dvc.lock").unlink()
    code, table, text = verify("--counts-only")
    assert code == 3
    assert table[-1].startswith("files that DVC recorded")
    assert table[-1].endswith("not checked")
    assert "dvc.lock is missing; `git restore dvc.lock` brings it back" in text
    last = "error: 1 of 5 checks could not be made here, see above"
    assert text.splitlines()[-1] == last  # it is asked for the counts alone already


def test_a_report_outside_of_a_pipeline_says_that_it_has_no_record(project, verify):
    code, table, text = verify("--counts-only")
    assert (code, len(table)) == (0, 4)
    assert "no dvc.yaml or dvc.lock is in ., so nothing tells whether the other files" in text


def test_files_that_no_stage_recorded_are_not_checked(recorded, verify, stages):
    stages(lambda all_: [all_.pop(name) for name in ("report", "dab-none-1")])
    inside = recorded / "reports/camvid_tiny"
    (inside / ".README.md.0badc0-1-2.tmp").write_text("half")
    (inside / "README.md").write_text("99.99 % mIoU")
    code, table, text = verify("--counts-only")
    assert code == 3
    assert sum(row.endswith("not checked") for row in table) == 1
    cell = "reports/camvid_tiny/cells/dab-none-1"
    names = [f"{cell}/{name}" for name in ("classes.csv", "counts.json")]
    assert f"not recorded in dvc.lock: reports/camvid_tiny/README.md, {', '.join(names)}" in text
    assert "tables/b.csv, reports/camvid_tiny/tables/confusion.csv; `dvc exp run -S dat" in text
    assert "dab-pooled-1/" not in text
    assert ".tmp" not in text
    (inside / "ablation.json").unlink()  # what is damaged outweighs it
    assert verify("--counts-only")[0] == 1


def test_a_result_of_another_network_is_found(project, verify):
    folder = project / "reports/camvid_tiny"
    for name in ("evaluation.json", "metrics.json", "classes.csv", "counts.json"):
        shutil.copy(folder / "cells/dab-none-1" / name, folder / "main" / name)
    code, _, text = verify("--counts-only")
    assert code == 1
    assert "evaluation.json is of a network with no calibration, training.json of dab" in text
    shutil.copy(folder / "cells/dab-none-1/training.json", folder / "cells/dab-pooled-1")
    assert "training.json is of dab with calibration none and seed 1" in verify("--counts-only")[2]


def test_weights_of_another_network_are_found(project, verify):
    folder = project / "models/camvid_tiny"
    shutil.copy(folder / "dab-none-1.safetensors", folder / "main.safetensors")
    path = project / "reports/camvid_tiny/main/evaluation.json"
    scores = json.loads(path.read_text())
    scores["provenance"]["weights"] = checksum(folder / "main.safetensors")
    path.write_text(json.dumps(scores))
    code, _, text = verify()
    assert code == 1
    assert "main.safetensors holds another network than training.json says" in text


def test_what_is_told_of_the_prepared_data_is_compared_with_the_record(recorded, verify, stages):
    name = "data/prepared/camvid"
    md5 = recorded_md5(recorded / name)
    stages(lambda all_: all_.update(prepare={"outs": [{"path": name, "md5": md5}]}))
    assert "dvc.lock data/prepared" not in verify()[2]
    change(recorded / name / "dataset.json", "100.0", "101.0")
    code, _, text = verify()
    assert code == 1
    assert f"dvc.lock {name}: {md5} recorded" in text


def test_the_environment_and_the_overview_are_compared_too(recorded, verify):
    environment = recorded / "reports/environment.json"
    write_json(environment, {"cpu": {"name": "A"}})
    entry = {"path": "reports/environment.json", "md5": recorded_md5(environment)}
    write_json(recorded / "stages/dvc.lock", {"stages": {"environment": {"outs": [entry]}}})
    (recorded / "reports/README.md").write_text(index(recorded / "reports"))
    assert "reports/README.md" not in verify("--counts-only")[2]
    write_json(environment, {"cpu": {"name": "B"}})
    overview, name = recorded / "reports/README.md", r"**camvid\_tiny**: "
    change(overview, name, f"{name}best, ")
    code, _, text = verify("--counts-only")
    assert code == 1
    assert "dvc.lock reports/environment.json: " in text
    assert "reports/README.md line 2: " in text
    (recorded / "reports/README.md").write_text("# Reports\n")
    assert "reports/README.md lacks it; `python -m stages.index` lists it" in verify()[2]


@pytest.mark.parametrize("name", ["here.json", "another.json"])
def test_speeds_that_dvc_did_not_record_are_found(recorded, verify, name):
    write_json(recorded / "reports/speed" / name, {"fps": 300})
    code, _, text = verify("--counts-only")
    assert code == 1
    found = next(line for line in text.splitlines() if "dvc.lock reports/speed: " in line)
    assert found.endswith(".dir here")
    assert ".dir recorded, " in found
    assert "All reports share these speeds" in text
    assert "error: 1 figures" in text


def test_a_cell_that_was_taken_out_of_the_grid_is_no_part_of_the_report(recorded, verify, stages):
    """DVC keeps the record of its stage."""
    gone = {"path": "reports/camvid_tiny/cells/dab-point-1", "md5": "0" * 32 + ".dir"}
    stages(lambda all_: all_.update({"dab-point-1": {"cmd": "x", "outs": [gone]}}))
    code, _, text = verify("--counts-only")
    assert code == 0, text


@pytest.mark.parametrize("named", ["by the record", "by ablation.json"])
def test_a_cell_that_the_report_names_is_missed_by_its_record(recorded, verify, stages, named):
    name = "dab-point-1" if named == "by the record" else "dab-pooled-1"
    path = f"reports/camvid_tiny/cells/{name}"
    if named == "by the record":
        ablation = {"backbones": ["dab"], "calibrations": ["point"], "seeds": [1]}
        gone = {"cmd": "x", "outs": [{"path": path, "md5": "0" * 32 + ".dir"}]}
        stages(lambda all_: all_.update({name: gone}))
        params = {"params.yaml": {"ablation": ablation}}
        stages(lambda all_: all_["summarise"].update({"params": params}))
    else:
        shutil.rmtree(recorded / path)
    code, _, text = verify("--counts-only")
    assert code == 1
    assert f"dvc.lock {path}: " in text
    assert ".dir recorded, nothing here" in text


@pytest.mark.parametrize(("key", "value"), [("split", "val"), ("bootstrap", {"level": 0.5})])
def test_what_an_ablation_says_of_itself_is_checked(project, verify, key, value):
    path = project / "reports/camvid_tiny/ablation.json"
    write_json(path, json.loads(path.read_text()) | {key: value})
    code, _, text = verify("--counts-only")
    assert code == 1
    assert f"ablation.json {key}" in text


def test_counts_of_other_classes_are_damage_and_hold_up_no_other_check(project, verify):
    path = project / "reports/camvid_tiny/cells/dab-none-1/counts.json"
    counts = Counts.load(path)
    cut = [getattr(counts, field.name) for field in fields(Counts)]
    Counts(*(part[..., :5, :5] if index < 2 else part for index, part in enumerate(cut))).save(path)
    code, table, text = verify("--counts-only")
    assert code == 1
    assert "Traceback" not in text
    assert len(table) > 2
