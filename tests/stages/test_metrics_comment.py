"""What the workflow posts on a pull request, on result files by hand: no stage runs."""

import json
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / ".github/metrics.sh"


def test_a_pull_request_is_told_its_metrics_and_its_tables(project):
    reports = project.root / "reports"

    def write(experiment, miou):
        folder = reports / experiment
        (folder / "main").mkdir(parents=True, exist_ok=True)
        (folder / "tables").mkdir(exist_ok=True)
        for path in (folder / "metrics.json", folder / "main/metrics.json"):
            path.write_text(json.dumps({"miou": miou}))
        (folder / "tables/ablation.md").write_text(f"table of {experiment}, {miou}\n")

    write("synthetic", 50.0)
    write("camvid", 60.0)
    project.commit()
    write("synthetic", 51.5)
    told = project.run(str(SCRIPT), "HEAD").stdout
    line = next(line for line in told.splitlines() if "main/metrics.json" in line)
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        "reports/synthetic/main/metrics.json", "miou", "50.0", "51.5", "1.5"
    ]  # fmt: skip
    assert "table of synthetic, 51.5" in told
    assert "table of camvid" not in told
    write("synthetic", 50.0)
    told = project.run(str(SCRIPT), "HEAD", "camvid").stdout
    assert "No metric" in told
    assert "table of camvid, 60.0" in told
