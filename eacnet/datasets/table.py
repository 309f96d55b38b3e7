"""A class table that a user wrote, as editors and spreadsheets save them."""

import codecs
import csv
import io
import unicodedata
from pathlib import Path

from eacnet.datasets.labels import IGNORED, Label
from eacnet.errors import InputError, one_line

COLUMNS = ("id", "name", "red", "green", "blue")


def read_table(path: Path) -> tuple[Label, ...]:
    """Read a class table: CSV with the columns id, name, red, green, blue.

    Classes are trained in the order of the rows; rows named "void" are ignored in training and
    scores. A column `category` is optional, further columns are not read. Columns may be separated
    by commas, semicolons or tabs; the text may be UTF-8, UTF-16, UTF-32 or Windows' Latin-1.

    Raises:
        InputError: the file is missing, a column is missing, a row does not hold a class, or two
            rows can't both hold: an id twice, or a class's name or colour.
    """
    if not path.is_file():
        raise InputError(
            f"{path} is missing: a class table in CSV with the columns {','.join(COLUMNS)}"
        )
    try:
        rows = _rows(_text(path))
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no table ({error}); save it as CSV in UTF-8") from None
    heading = rows[0][1] if rows else []
    repeated = [name for name in (*COLUMNS, "category") if heading.count(name) > 1]
    if repeated:
        raise InputError(f"{path}: column {repeated[0]} is there twice")
    lacking = sorted(set(COLUMNS) - set(heading))
    if lacking:
        raise InputError(f"{path}: missing column {', '.join(lacking)}")
    labels: list[Label] = []
    for line, cells in rows[1:]:
        try:
            if len(cells) != len(heading):
                raise ValueError(f"{len(cells)} cells under {len(heading)} columns")
            labels.append(_label(dict(zip(heading, cells, strict=True)), labels))
        except ValueError as error:
            raise InputError(f"{path}, line {line}: {error}") from None
    classes = sum(label.train_id != IGNORED for label in labels)
    if not 2 <= classes < IGNORED:
        raise InputError(f"{path}: {classes} classes; a network needs 2 to {IGNORED - 1}")
    return tuple(labels)


def _label(row: dict[str, str], before: list[Label]) -> Label:
    """Return a row's label; a ValueError says why it can't hold, by itself or with those before."""
    try:
        value, *color = (_number(row[name]) for name in COLUMNS if name != "name")
    except ValueError:
        raise ValueError("expected whole numbers") from None
    if not all(0 <= number <= 255 for number in (value, *color)):
        raise ValueError("a number is outside 0..255")
    name, category, color = row["name"], row.get("category", ""), tuple(color)
    if not name:
        raise ValueError("the name is empty")
    for column, text in (("name", name), ("category", category)):
        if not text.isprintable():
            raise ValueError(f"the {column} {text!r} holds characters that can't be seen")
    if value in (label.id for label in before):
        raise ValueError(f"id {value} is there twice")
    if name.casefold() == "void":
        return Label(value, IGNORED, "void", category, color)
    classes = [label for label in before if label.train_id != IGNORED]
    if _alike(name) in (_alike(label.name) for label in classes):
        raise ValueError(f"{name!r} is there twice")
    for label in classes:
        if label.color == color:
            raise ValueError(f"{name!r} has the colour of {label.name!r}; give each its own")
    return Label(value, len(classes), name, category, color)


def _alike(name: str) -> str:
    """Return a name without its case, and without how its letters with accents are encoded."""
    return unicodedata.normalize("NFKC", name).casefold()


def _number(cell: str) -> int:
    if not (
        cell.isascii() and cell.removeprefix("-").isdecimal()
    ):  # int() takes 1_0 and other scripts' digits
        raise ValueError(cell)
    return int(cell)


def _text(path: Path) -> str:
    # A tool that writes a byte-order mark may do so before one that was there.
    return _decoded(path).lstrip("\ufeff")


def _decoded(path: Path) -> str:
    content = path.read_bytes()
    # Before UTF-16, with whose mark that of UTF-32 begins.
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return content.decode("utf-32")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    if b"\0" in content:
        raise csv.Error("it holds zero bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        text = content.decode("cp1252")
        said = f"{path} is no UTF-8 and is read as Windows-1252; if names look wrong, save it anew"
        print(one_line(said))
        return text


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """Return the line number and the stripped cells of each row that is not blank, heading first.

    The heading is in lower case, and empty columns at the right are left out throughout.
    """
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    rows = [(line, cells) for line, cells in rows if any(cells)]
    # Excel's own first line, which names the separator.
    if rows and rows[0][1][0].casefold() in ("sep=", f"sep={separator}"):
        rows = rows[1:]
    if not rows:
        return []
    line, heading = rows[0]
    while not heading[-1]:
        heading.pop()
    trimmed = [(line, [name.casefold() for name in heading])]
    for line, cells in rows[1:]:
        while len(cells) > len(heading) and not cells[-1]:
            cells.pop()
        trimmed.append((line, cells))
    return trimmed
