"""Which images and videos a command line means, and under which names their results are kept."""

import glob
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from eacnet.datasets.cityscapes import OFFICIAL_NAME
from eacnet.datasets.listing import SUFFIXES as IMAGES
from eacnet.files import real
from eacnet.predict.results import is_result

VIDEOS = {
    ".avi", ".flv", ".gif", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ts",
    ".webm", ".wmv",
}  # fmt: skip
LONGEST = 200  # characters of an argument that a message repeats


@dataclass(frozen=True)
class Source:
    """An image or a video, and the name of its results: a relative path without a suffix."""

    path: Path
    name: str

    @property
    def is_video(self) -> bool:
        """Whether it is read as a video."""
        return self.path.suffix.lower() in VIDEOS

    def result(self, suffix: str) -> str:
        """Return the name of a result with its suffix, such as "_labels.png".

        A label map holds the network's classes, and under the name of a frame of Cityscapes its
        official script would take them for label ids. `eacnet submit` writes those.
        """
        return f"{_unofficial(self.name) if suffix.endswith('.png') else self.name}{suffix}"


def find_sources(
    arguments: Sequence[str], output: Path
) -> tuple[list[Source], list[str], list[Path]]:
    """Find the images and videos that the arguments mean.

    An argument is a file, a folder (taken with its subfolders, also those that are links, without
    hidden files) or a glob pattern. A file that several arguments mean is taken once. What lies in
    `output` is skipped in folders: there stand the results of earlier runs.

    Args:
        arguments: as the user wrote them.
        output: the folder of the results.

    Returns:
        The sources, no two of one name (upper and lower case taken as the same); one line for each
        argument that means nothing and each folder that can't be read; and the files that are not
        taken because of their suffix.
    """
    found: dict[Path, tuple[Path, Path]] = {}
    problems: list[str] = []
    left: list[Path] = []
    for argument in arguments:
        if not argument:
            problems.append("an empty argument names no file")
            continue
        try:
            seen = list(_matches(argument, output, problems))
        except OSError as error:  # who may not look into a folder is told so by any look at a file
            problems.append(f"{argument[:LONGEST]}: {error.strerror}")
            continue
        pairs = [pair for pair in seen if _known(pair[0])]
        for path, relative in pairs:
            found.setdefault(real(path), (path, relative))
        if not pairs:
            problems.append(_explain(argument, [path for path, _ in seen]))
        else:
            left += [path for path, _ in seen if not _known(path)]
    stems = Counter(_stem(path) for path in found)
    candidates = {
        path: _names(whole, relative if stems[_stem(whole)] > 1 else relative.with_suffix(""))
        for whole, (path, relative) in found.items()
    }
    return [Source(path, name) for path, name in _distinct(candidates).items()], problems, left


def _matches(argument: str, output: Path, problems: list[str]) -> Iterator[tuple[Path, Path]]:
    """Yield files and what their results are named after, in sorted order."""
    paths = [Path(argument)]
    if not paths[0].exists() and glob.has_magic(argument):
        # Path.glob takes no absolute pattern.
        matches = glob.glob(argument, recursive=True)  # noqa: PTH207
        paths = [Path(match) for match in sorted(matches)]
        paths = [path for path in paths if not _is_ours(path, real(output))]
    for path in paths:
        if path.is_dir():
            for file in _files(path, real(output), problems):
                yield file, file.relative_to(path)
        elif path.is_file():
            yield path, Path(path.name)


def _files(folder: Path, output: Path, problems: list[str]) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        problems.append(f"{error.filename}: this folder can't be read ({error.strerror})")

    entered = {output, real(folder)}
    for root, folders, files in os.walk(folder, onerror=unreadable, followlinks=True):
        here = Path(root)
        inner = {name: real(here / name) for name in sorted(folders) if name[0] != "."}
        folders[:] = [name for name, target in inner.items() if target not in entered]
        entered.update(inner.values())
        for path in (here / name for name in sorted(files) if name[0] != "."):
            if not _is_ours(path, output):
                yield path


def _is_ours(path: Path, output: Path) -> bool:
    """Whether a file is an earlier result in the folder of results: it is no input."""
    return output in real(path).parents and path.is_file() and is_result(path)


def _known(path: Path) -> bool:
    return path.suffix.lower() in IMAGES | VIDEOS


def _stem(path: Path) -> str:
    """Return what a file shares with those that differ from it in suffix or case alone."""
    return str(path.with_suffix("")).casefold()


def _names(whole: Path, relative: Path) -> list[str]:
    """Return names for the results of the file at `whole`: `relative`, then under more parents."""
    parts = whole.relative_to(whole.anchor).parts
    longer = [
        Path(*parts[-count:-1], relative.name)
        for count in range(len(relative.parts) + 1, len(parts) + 1)
    ]
    return [name.as_posix() for name in (relative, *longer)]


def _unofficial(name: str) -> str:
    folder, last = os.path.split(name)
    return os.path.join(folder, f"train-ids_{last}") if re.match(OFFICIAL_NAME, last) else name  # noqa: PTH118


def _distinct(candidates: dict[Path, list[str]]) -> dict[Path, str]:
    """Choose for each file the shortest of its names that no other file has."""
    choice = dict.fromkeys(candidates, 0)
    while True:
        names = {path: candidates[path][index] for path, index in choice.items()}
        # Of the names that a file's results may get, none may be another file's.
        kept = {
            path: {name.casefold(), _unofficial(name).casefold()} for path, name in names.items()
        }
        uses = Counter(name for own in kept.values() for name in own)
        clashing = [path for path, own in kept.items() if max(uses[name] for name in own) > 1]
        movable = [path for path in clashing if choice[path] + 1 < len(candidates[path])]
        if not movable:
            break
        for path in movable:
            choice[path] += 1
    for number, path in enumerate(clashing, start=1):
        names[path] = f"{names[path]}~{number}"
    return names


def _explain(argument: str, seen: Sequence[Path]) -> str:
    if Path(argument).is_dir():
        return f"{argument}: no image or video in this folder"
    if seen:
        return f"{argument}: neither an image nor a video by its suffix {seen[0].suffix!r}"
    return f"{argument[:LONGEST]}: no such file or folder"
