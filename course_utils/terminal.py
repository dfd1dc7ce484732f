"""What a terminal, a file or a pipe cannot show becomes a question mark."""

import sys


def print_anyway() -> None:
    """Lets standard output and errors show `?` for a sign that their encoding lacks, instead of raising.

    Every command calls it first: a redirected console of Windows writes cp1252 or cp936, and the C locale ASCII.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a notebook and pytest put streams of their own there, or None
            stream.reconfigure(errors="replace")
