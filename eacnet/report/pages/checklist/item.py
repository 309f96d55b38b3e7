"""One item of the checklist, and what all items need."""

from dataclasses import dataclass

YES, PARTLY, NO, NOT_APPLICABLE = "yes", "in part", "no", "does not apply"
# From reports/<experiment>/ to the top of the project.
TOP = "../.."


@dataclass(frozen=True)
class Item:
    """One item: what is asked, how far it is met, how, and the files that show it.

    The paths in `shown` start at the report's folder.
    """

    asked: str
    met: str
    how: str
    shown: dict[str, str]
