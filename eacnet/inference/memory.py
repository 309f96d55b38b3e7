"""Running out of memory, told so that one knows what to reduce."""

from collections.abc import Iterator
from contextlib import contextmanager

from eacnet.errors import InputError, lacks_memory


@contextmanager
def explained(what: str, remedy: str) -> Iterator[None]:
    """Turn an out-of-memory error of any library into one line.

    Raises:
        InputError: the memory ran out while doing `what`; `remedy` says what to reduce.
    """
    try:
        yield
    except Exception as error:  # ONNX Runtime's are no RuntimeError
        if isinstance(error, InputError) or not lacks_memory(error):
            raise
        raise InputError(f"out of memory for {what}; {remedy}") from None
