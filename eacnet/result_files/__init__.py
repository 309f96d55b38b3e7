"""What the result files hold: each is read through here, so that a damaged one is named as such.

A schema says which values are possible. Keys that it does not name are let through, and those that
not every version wrote may be absent, so that reports of earlier versions can still be read; who
asks for a key that is not there gets the same kind of error, from `Facts`.
"""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from eacnet.errors import InputError, one_line
from eacnet.files import read_json
from eacnet.result_files.schemas import SCHEMAS


class MissingKeyError(InputError, KeyError):
    """A key that a result file lacks; to templates and the like, a key that any object lacks."""

    __str__ = Exception.__str__


class Facts(dict):
    """An object of a result file: a key that it lacks is the file's fault, and said as such."""

    def __init__(self, where: str, content: dict[str, Any]) -> None:
        super().__init__({key: _facts(f"{where}{key}.", value) for key, value in content.items()})
        self._where = where

    def __missing__(self, key: str) -> Any:
        raise MissingKeyError(
            f"{one_line(self._where + key)} is missing; `dvc repro -f` remakes it"
        )


def _facts(where: str, value: Any) -> Any:
    if isinstance(value, dict):
        return Facts(where, value)
    if isinstance(value, list):
        return [_facts(f"{where}{index}.", each) for index, each in enumerate(value)]
    return value


def read_result(path: Path, kind: str) -> dict[str, Any]:
    """Read a result file and check it against its schema.

    Args:
        path: the file.
        kind: one of SCHEMAS.

    Returns:
        Its content as JSON types, as it stands there.

    Raises:
        InputError: the file is missing, no JSON, or lacks a key or holds a wrong value; one line
            that names file and key.
    """
    content = read_json(path)
    try:
        SCHEMAS[kind].model_validate(content)
    except ValidationError as error:
        raise InputError(f"{path}: {explain(error)}; `dvc repro -f` remakes it") from None
    return facts(path, content)


def facts(path: Path, content: Any) -> Any:
    """Return the content of a file such that a key that it lacks is told by file and key."""
    return _facts(f"{path}: key ", content)


def explain(error: ValidationError) -> str:
    """Return in one line which key is wrong, and how."""
    # Of a value that may also be null or something else, the first reason is enough.
    first = error.errors()[0]
    key = one_line(".".join(str(part) for part in first["loc"] if "[" not in str(part)))
    if first["type"] == "missing":
        return f"key {key} is missing"
    reason = first["msg"].removeprefix("Value error, ").replace("Input should be ", "")
    value = repr(first["input"])
    if not key:
        return reason if first["type"] == "value_error" else f"is {value[:40]}; allowed: {reason}"
    return f"key {key} is {value[:40]}; allowed: {reason}"
