"""One progress bar for all long work: done, rate and time left."""

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm


def progress(iterable: Iterable[Any] | None = None, **options: Any) -> tqdm:
    """Wrap `iterable` in a progress bar on stderr; `options` are tqdm's.

    A log file gets a line every half minute instead of a bar that redraws itself.
    """
    console = sys.stderr is not None  # a program without a console has none
    live = console and sys.stderr.isatty()
    options["disable"] = options.get("disable", False) or not console
    return tqdm(
        iterable,
        dynamic_ncols=live,
        mininterval=0.2 if live else 30,
        maxinterval=1 if live else 60,
        ascii=None if live else " #",
        **options,
    )
