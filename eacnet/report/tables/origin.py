"""Which code, data, machine and recipe the results come from."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from eacnet.report.results import Results
from eacnet.report.tables.table import table


@table(
    "sources",
    "Where this comes from",
    "Where modified files differ from the commit, the commit alone does not give this result.",
)
def sources(results: Results) -> pd.DataFrame:
    """One row a fact: of the training, and of the evaluation."""
    facts = [_facts(results.training), _facts(results.evaluation["provenance"])]
    names = list(dict.fromkeys(name for source in facts for name in source))
    told = {
        heading: [source.get(name) for name in names]
        for heading, source in zip(("training", "evaluation"), facts, strict=True)
    }
    return pd.DataFrame({"what": names, **told}, dtype=object)


@table("recipe", "The recipe", "Every parameter of the training.")
def recipe(results: Results) -> pd.DataFrame:
    """One row a parameter."""
    training = results.training
    values = {"seed": str(training["seed"]), **dict(_flat(training["recipe"]))}
    return pd.DataFrame({"parameter": values.keys(), "value": values.values()}, dtype=object)


def _facts(source: dict[str, Any]) -> dict[str, str | None]:
    commit, modified = source["code"]["commit"], source["code"]["modified"]
    return {
        "commit": commit[:12] if commit else None,
        "modified files": None if modified is None else _first(modified),
        "data (SHA-256)": source["data"][:12],
        "device": source["device"],
        "threads": str(source["threads"]),
        "processes": str(source["processes"]) if "processes" in source else None,
        **source["versions"],
    }


def _first(names: Sequence[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "none") + more


def _flat(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield every value of nested dicts under its dotted name."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value if isinstance(value, str) else json.dumps(value)
