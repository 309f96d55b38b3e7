"""The trainings of an experiment in one view: bars in a terminal, lines in a log."""

import sys
from pathlib import Path

from tqdm import tqdm

from eacnet.cells.cell import Cell
from eacnet.errors import one_line
from eacnet.progress import progress

BARS = 16  # of trainings, under that of all


class View:
    """Epochs done of all trainings and of each that runs, with the time left.

    Attributes:
        failed: why, by name, those that failed.
    """

    def __init__(self, these: list[Cell]) -> None:
        self.cells = these
        self.failed: dict[str, str] = {}
        self._bars: dict[str, tqdm] = {}
        total, done = sum(cell.epochs for cell in these), sum(cell.done for cell in these)
        # The time left by the mean rate since the start: epochs of several come in bursts.
        self._all = progress(
            total=total, initial=done, desc="all", unit="epoch", position=0, smoothing=0
        )

    def started(self, cell: Cell, where: str) -> None:
        """Show a training that begins, or goes on."""
        again = f" goes on behind epoch {cell.done}" if cell.done else " trains"
        self.say(f"{cell.name}{again} {where}: {path_of_log(cell)}")
        if sys.stderr.isatty() and len(self._bars) < BARS:
            places = {bar.pos for bar in self._bars.values()}
            place = next(n for n in range(1, BARS + 1) if -n not in places)
            self._bars[cell.key] = progress(
                total=cell.epochs,
                initial=cell.done,
                desc=cell.name,
                unit="epoch",
                position=place,
                leave=False,
            )

    def ended(self, cell: Cell, error: str | None) -> None:
        """Show the end of a training, and why it failed."""
        if bar := self._bars.pop(cell.key, None):
            bar.close()
        if error:
            self.failed[cell.name] = one_line(error)
            self.say(f"{cell.name} failed: {self.failed[cell.name]} ({path_of_log(cell)})")
        else:
            self.say(f"{cell.name} is trained")

    def show(self) -> None:
        """Draw anew how far they are."""
        done = {cell.key: cell.done for cell in self.cells}
        for key, bar in self._bars.items():
            bar.update(done[key] - bar.n)
        self._all.update(sum(done.values()) - self._all.n)

    def say(self, line: str) -> None:
        """Print a line above the bars."""
        if sys.stderr.isatty():
            self._all.write(line, file=sys.stdout)
        else:
            print(line, flush=True)

    def __enter__(self) -> "View":
        return self

    def __exit__(self, *_: object) -> None:
        for bar in self._bars.values():
            bar.close()
        self._all.refresh()
        self._all.close()


def path_of_log(cell: Cell) -> str:
    """Return the path of a log as one types it here."""
    here = Path.cwd()
    return str(cell.log.relative_to(here) if cell.log.is_relative_to(here) else cell.log)
