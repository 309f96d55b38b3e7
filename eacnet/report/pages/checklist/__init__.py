"""The Machine Learning Reproducibility Checklist, answered from what the result files hold.

The items are those of version 2.0 (Pineau et al., "Improving Reproducibility in Machine Learning
Research", JMLR 22, 2021), in its order and under its five headings, in our words. The sheet itself
does not number them; here an item is numbered by heading and place.
"""

from collections import Counter

from eacnet.report.pages.checklist.datasets import datasets
from eacnet.report.pages.checklist.item import NO, NOT_APPLICABLE, PARTLY, YES
from eacnet.report.pages.checklist.method import algorithms, code, theory
from eacnet.report.pages.checklist.outcome import outcome
from eacnet.report.results import Results
from eacnet.report.tables.text import markdown as escape


def checklist(results: Results) -> str:
    """Return the checklist of a report as Markdown, to lie beside its page."""
    groups = {
        "Models and algorithms": algorithms(results),
        "Theoretical claims": theory(),
        "Datasets": datasets(results),
        "Shared code": code(results),
        "Reported results": outcome(results),
    }
    met = Counter(item.met for items in groups.values() for item in items)
    lines = [
        "# Reproducibility checklist\n",
        "The items of the Machine Learning Reproducibility Checklist, version 2.0 ([Pineau et al.,"
        " JMLR 22, 2021](https://jmlr.org/papers/v22/20-303.html)), in our words, answered from"
        " this report's result files. "
        + ", ".join(f"{met[answer]} {answer}" for answer in (YES, PARTLY, NO, NOT_APPLICABLE))
        + ".\n",
    ]
    for number, (heading, items) in enumerate(groups.items(), start=1):
        lines.append(f"## {number}. {heading}\n")
        for place, item in enumerate(items, start=1):
            links = ", ".join(f"[{escape(text)}]({path})" for text, path in item.shown.items())
            lines.append(
                f"**{number}.{place} {item.asked}** {item.met.capitalize()}: {item.how}."
                + (f" ({links})" if links else "")
                + "\n"
            )
    return "\n".join(lines)
