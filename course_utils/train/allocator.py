"""Memory that is kept between steps: asking the system for it again, page by page, costs up to a third of the time."""

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # of glibc's mallopt
LARGE = 2**30  # bytes


def keep_memory() -> bool:
    """Tells glibc to keep freed memory for the next step, and says whether it did; elsewhere nothing happens.

    By default a large tensor, such as the logits of a vocabulary, goes back to the system when it is freed, and the
    next one is cleared again before use. Source: mallopt(3), M_MMAP_THRESHOLD and M_TRIM_THRESHOLD.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        library = ctypes.CDLL("libc.so.6")
        return bool(library.mallopt(MMAP_THRESHOLD, LARGE)) and bool(library.mallopt(TRIM_THRESHOLD, 2 * LARGE - 1))
    except (OSError, AttributeError):  # another C library, such as musl
        return False
