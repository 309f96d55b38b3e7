"""Which figures of a table are the best and the second best of those that compare."""

from collections.abc import Callable, Sequence

import pandas as pd

from eacnet.report.tables.table import how_written

Marks = Callable[[pd.DataFrame], pd.DataFrame]


def down(headings: str, within: str | Sequence[str]) -> Marks:
    """Rank the figures of every matching column, among rows that agree in columns `within`."""

    def marks(frame: pd.DataFrame) -> pd.DataFrame:
        found = _unmarked(frame)
        for heading in frame.columns[frame.columns.str.fullmatch(headings)]:
            for _, rows in frame.groupby(within, dropna=False):
                found.loc[rows.index, heading] = rank(rows[heading], heading)
        return found

    return marks


def across(*headings: str) -> Marks:
    """Rank the figures of each row among the columns that match one of the patterns."""

    def marks(frame: pd.DataFrame) -> pd.DataFrame:
        found = _unmarked(frame)
        for pattern in headings:
            columns = frame.columns[frame.columns.str.fullmatch(pattern)]
            for index in frame.index:
                found.loc[index, columns] = rank(frame.loc[index, columns].astype(float))
        return found

    return marks


def rank(figures: pd.Series, heading: str = "") -> list[str]:
    """Mark the highest figure "best" and the next one "second", as they are shown.

    None is marked where all look the same; no second where just two are compared.
    """
    shown = figures.astype(float).round(how_written(heading)[0])
    place = shown.rank(method="dense", ascending=False)
    names = {1: "best"} if place.max() > 1 else {}
    if shown.count() > 2 and names:
        names[2] = "second"
    return [names.get(one, "") for one in place]


def _unmarked(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame("", index=frame.index, columns=frame.columns)
