"""Train, dev and test: parts that are the same on every machine, whatever the order of the data."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b


def order_key(text: str, draw: int = 0) -> int:
    """Gives a text its key in an order that looks random and is the same everywhere, for ever.

    It is the text's hash (BLAKE2, 64 bits). Whether a text is drawn for the test depends on the text alone, and not on
    what stands before or after it: more data later leaves nearly every old decision as it is. `draw` is the number of
    the draw, any whole number below 2⁶⁴: another number gives another order.
    """
    salt = draw.to_bytes(8, "little")
    return int.from_bytes(blake2b(text.encode("utf-8"), digest_size=8, salt=salt).digest(), "big")


@contextmanager
def building() -> Iterator[None]:
    """Lets Python make hundreds of thousands of tuples without looking through them for garbage: twice as fast."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
