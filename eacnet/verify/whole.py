"""What a report consists of, by name: what no record names any more is missed, too."""

import re

from eacnet.layout import SPEED
from eacnet.verify.report import Report

PAGES = ("README.md", "index.html", "checklist.md")
# Of every report; no page shows the second.
OTHERS = ("main/attention.json", "tables/confusion.csv")
_LINK = re.compile(r'[("]((?:figures|tables)/[\w.-]+)[)"]')


def lacking(report: Report) -> list[str]:
    """Return the files that a report consists of and that are not there.

    Which figures and tables it has, its pages say. The measured speeds lie beside it, and are none
    of its own where it was handed on alone.
    """
    pages = [report.folder / name for name in PAGES]
    linked = {
        name
        for page in pages
        if page.is_file()
        for name in _LINK.findall(page.read_text(encoding="utf-8", errors="replace"))
    }
    parts = [report.folder / name for name in (*OTHERS, *sorted(linked))]
    curves = [report.results(run) / "training.csv" for run in report.runs]
    found = [str(path) for path in (*pages, *parts, *curves) if not path.is_file()]
    speed = report.project / SPEED
    if report.in_pipeline and "tables/speed.csv" in linked and not any(speed.glob("*.json")):
        found.append(str(speed))
    return found
