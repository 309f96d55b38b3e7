"""The Machine Learning Reproducibility Checklist, answered from what the result files hold.

The items are those of version 2.0 (Pineau et al., "Improving Reproducibility in Machine Learning
Research", JMLR 22, 2021), in its order and under its five headings, in our words. The sheet itself
does not number them; here an item is numbered by heading and place.
"""

import re
from collections import Counter

from jinja2 import Environment, PackageLoader, StrictUndefined

from eacnet.config.names import CALIBRATIONS
from eacnet.pretrained.shipped import shipped_as
from eacnet.report.pages.words import frames_are, lost
from eacnet.report.results import Results
from eacnet.report.tables.text import markdown

ANSWERS = ("Yes", "In part", "No", "Does not apply")


def checklist(results: Results) -> str:
    """Return the checklist of a report as Markdown, to lie beside its page."""
    # Markdown, so nothing is escaped as HTML; what users name goes through the filter `md`.
    environment = Environment(
        loader=PackageLoader("eacnet.report.pages"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    environment.filters["md"] = lambda text: markdown(str(text))
    environment.tests["lost"] = lost
    published = results.about.recipes.get(results.variant)
    named = CALIBRATIONS.get(results.training["calibration"]) or ""
    text = environment.get_template("checklist.md").render(
        results=results,
        published=published,
        pixels=frames_are(results),
        calibration=f"{named.rpartition('.')[0] or 'attention'}.py",
        shipped=shipped_as(results.evaluation["provenance"].get("weights")),
    )
    met = Counter(re.findall(rf"\.\*\* ({'|'.join(ANSWERS)}): ", text))
    counted = ", ".join(f"{met[answer]} {answer.lower()}" for answer in ANSWERS)
    return re.sub(r"\n{3,}", "\n\n", text.replace("@COUNTED@", counted)).strip() + "\n"
