"""Another process with another order of sets, in a locale that knows no letters but ASCII."""

import sys

SEED = {"PYTHONHASHSEED": "1"}
# PyTorch cannot be loaded from a folder whose name such a locale cannot write; there only the order differs.
PLAINLY = {**SEED, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"} if sys.prefix.isascii() else SEED
