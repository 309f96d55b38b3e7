"""Put the cells of the ablation together: mean and spread over seeds, gain from calibration."""

from eacnet.errors import InputError, exit_on_error
from eacnet.evaluation.summary import headline, summarise
from eacnet.files import read_json, write_json
from eacnet.params import load_params
from stages.layout import cells, reports


def main() -> None:
    """Read the scores of exactly the cells that params.yaml names, write their summary."""
    params = load_params()
    scores, evaluations = {}, []
    for run in cells(params):
        scores[run.backbone, run.calibration, run.seed] = read_json(run.results / "metrics.json")
        evaluation = read_json(run.results / "evaluation.json")
        evaluations.append((evaluation["provenance"]["data"], evaluation["frames"]))
    if len(set(evaluations)) > 1:
        raise InputError(
            f"the cells in {reports(params.experiment)} were scored on different data; "
            "`dvc repro` scores the stale ones anew"
        )
    entries = summarise(scores)
    folder = reports(params.experiment)
    summary = {"split": params.data.evaluate, "frames": evaluations[0][1], "groups": entries}
    write_json(folder / "ablation.json", summary)
    write_json(folder / "metrics.json", {"ablation": headline(entries)})


if __name__ == "__main__":
    exit_on_error(main)
