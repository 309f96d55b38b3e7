"""Running out of memory, told so that one knows what to reduce."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from eacnet.errors import InputError

# CUDA, cuDNN, oneDNN, Linux and Windows each have their own words for it.
OUT_OF_MEMORY = re.compile(
    r"out of memory|not enough memory|allocate memory|ALLOC_FAILED|bad_alloc|failed to allocate",
    re.IGNORECASE,
)


@contextmanager
def explained(what: str, remedy: str) -> Iterator[None]:
    """Turn an out-of-memory error of any library into one line.

    Raises:
        InputError: the memory ran out while doing `what`; `remedy` says what to reduce.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, RuntimeError) and not OUT_OF_MEMORY.search(str(error)):
            raise
        raise InputError(f"out of memory for {what}; {remedy}") from None
