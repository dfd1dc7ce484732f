"""The first line of every notebook."""

import os

import torch

from course_utils.train.allocator import keep_memory


def start(seed: int = 0) -> torch.device:
    """Seeds PyTorch, sets how numbers and figures look, and returns the device to compute on.

    The device is CUDA's where there is one, else the CPU; the environment variable ATTENTION_COURSE_DEVICE
    overrides it. Draw random numbers on the CPU and then move them: so they are the same everywhere.
    Raises ValueError for a seed that is not a whole number of at least 0.
    """
    if not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed: got {seed!r}, expected a whole number of at least 0")
    keep_memory()
    from course_utils.plots import use_style  # matplotlib takes half a second: only notebooks pay for it

    torch.manual_seed(seed)
    torch.set_printoptions(precision=3, sci_mode=False)
    use_style()
    chosen = os.environ.get("ATTENTION_COURSE_DEVICE")
    return torch.device(chosen or ("cuda" if torch.cuda.is_available() else "cpu"))
