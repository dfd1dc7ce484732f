"""How much memory this process has held at most; other scripts measure with it, each call in a fresh process."""

from pathlib import Path


def peak() -> float:
    """The most memory that this process has held, in MB; nan where the system does not say."""
    try:  # not getrusage: its peak starts at that of the parent process
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return float("nan")
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
