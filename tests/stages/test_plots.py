"""`dvc plots` across commits, on result files by hand: no stage runs."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

JSON = ("training", "evaluation", "counts", "attention", "metrics")
FILES = {
    **{f"main/{name}.json": '{{"a": {{"b": {loss}}}}}' for name in JSON},
    "ablation.json": '{{"groups": {{}}}}',
    "metrics.json": "{{}}",
    "cells/dab-none-1/training.csv": "epoch,loss\n1,{loss}\n",
    "cells/dab-pooled-1/training.csv": "epoch,loss\n1,{loss}\n",
    "main/training.csv": "epoch,loss,lr,val_miou\n1,2.5,0.001,\n2,{loss},0.0005,40.5\n",
    "main/classes.csv": "class,iou\nroad,{loss}\nsky,50\n",
    "tables/confusion.csv": "truth,prediction,share,pixels\n"
    "sky,sky,{loss},3\nsky,road,25.0,1\nroad,sky,,0\nroad,road,,0\n",
}


def write_results(project, loss):
    for name, text in FILES.items():
        path = project.root / "reports/synthetic" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(loss=loss))


def test_curves_classes_and_confusion_are_compared_across_commits(project):
    write_results(project, 1.5)
    project.commit()
    write_results(project, 0.5)
    plots = json.loads(project.run("dvc", "plots", "diff", "HEAD", "--json").stdout)
    assert not plots.get("errors")
    plots = plots["data"]
    named = ["loss", "val_miou", "class_iou", "confusion"]
    assert set(named) <= set(plots)
    for name in named:
        assert set(plots[name][0]["revisions"]) == {"HEAD", "workspace"}, name
    (confusion,) = plots["confusion"]
    content = confusion["content"]
    shares = {
        (point["rev"], point["truth"], point["prediction"]): point["share"]
        for point in content["data"]["values"]
    }
    assert len(shares) == 8
    assert shares["HEAD", "sky", "sky"] == "1.5"
    assert shares["workspace", "sky", "sky"] == "0.5"
    encoding = content["spec"]["encoding"]
    assert (encoding["x"]["field"], encoding["y"]["field"]) == ("prediction", "truth")
    assert "<DVC" not in json.dumps(content)


@pytest.fixture
def page(project):
    """The page of `dvc plots diff` as it is made after `make plots`."""
    shutil.copy(Path(__file__).parents[2] / "Makefile", project.root)
    write_results(project, 1.5)
    project.commit()
    write_results(project, 0.5)
    project.run("make", "plots", f"BIN={Path(sys.executable).parent}")
    project.run("dvc", "plots", "diff", "HEAD")
    return project.root / "dvc_plots/index.html"


def test_the_page_of_plots_draws_without_a_network(page):
    text = page.read_text()
    assert not re.search(r"<(?:script|link)[^>]*\s(?:src|href)\s*=", text)
    assert text.count("vegaEmbed('#") >= 4
    if not shutil.which("chromium"):
        pytest.skip("chromium is not installed")
    switches = ("headless=new", "no-sandbox", "disable-gpu", "dump-dom", "proxy-server=127.0.0.1:9")
    switches += ("virtual-time-budget=20000", f"user-data-dir={page.parent / 'profile'}")
    command = ("chromium", *(f"--{switch}" for switch in switches), page.as_uri())
    drawn = subprocess.run(command, capture_output=True, text=True, timeout=500).stdout
    assert drawn.count('class="marks"') == text.count("vegaEmbed('#")
