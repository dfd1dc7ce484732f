"""A training step of our encoder block against nn.TransformerEncoderLayer, and of its two halves, against length.

    OMP_NUM_THREADS=1 python benchmarks/blocks.py                      lengths 128 to 2048

Both have the same weights and options: no dropout, float32, batch 1. They take turns, and a ratio is the median over
rounds of (time of PyTorch's layer) / (time of ours): above 1 is faster. Times are the processor's own, so that what
else runs on the machine counts less. The halves are the attention and the feed-forward layer of our block, each with
its norm and the way around it; beside them stand the multiplications that the formulas predict.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from course_utils.models.blocks import EncoderBlock
from course_utils.models.torch_blocks import copy_from_torch

SIZE, HEADS, HIDDEN = 256, 4, 1024
OURS, THEIRS, ATTENTION, FEED = "EncoderBlock", "nn.TransformerEncoderLayer", "attention", "feed-forward"


def contestants(norm: str = "post") -> dict[str, Callable[[Tensor], Tensor]]:
    """Both layers with equal weights, in training mode, and the halves of ours."""
    torch.manual_seed(0)
    theirs = nn.TransformerEncoderLayer(SIZE, HEADS, HIDDEN, 0.0, batch_first=True, norm_first=norm == "pre")
    ours = EncoderBlock(SIZE, HEADS, HIDDEN, norm=norm)
    copy_from_torch(theirs, ours)
    return {
        OURS: ours,
        THEIRS: theirs,
        ATTENTION: lambda x: ours.around_attention(x, lambda y: ours.attention(y, y, y)[0]),
        FEED: lambda x: ours.around_feed(x, ours.feed),
    }


def predicted(length: int) -> dict[str, int]:
    """Multiplications of a forward pass: four projections and two products over all pairs; two linear layers."""
    return {
        ATTENTION: 4 * length * SIZE**2 + 2 * length**2 * SIZE,
        FEED: 2 * length * SIZE * HIDDEN,
    }


def counted(layer: Callable[[Tensor], Tensor], length: int) -> int:
    """The multiplications of a forward pass that PyTorch itself counts; in the fused kernel it would see none."""
    with FlopCounterMode(display=False) as counter, torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        layer(torch.randn(1, length, SIZE))
    return counter.get_total_flops() // 2  # it counts a multiplication and its addition as two


def times(length: int, rounds: int, norm: str) -> dict[str, list[float]]:
    """Seconds of a forward and a backward pass of each, in each round; they take turns."""
    entered, found = contestants(norm), {}
    x = torch.randn(1, length, SIZE, requires_grad=True)
    for round_number in range(rounds + 1):  # the first one warms up
        for name, layer in entered.items():
            began = time.process_time()
            layer(x).sum().backward()
            if round_number:
                found.setdefault(name, []).append(time.process_time() - began)
    return found


def ratio(found: dict[str, list[float]], above: str, below: str) -> float:
    """The time of one over that of another, round by round; the median."""
    return statistics.median(one / other for one, other in zip(found[above], found[below], strict=True))


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--lengths", type=int, nargs="+", default=[128, 256, 512, 1024, 2048])
    ask.add_argument("--norms", nargs="+", choices=["post", "pre"], default=["post", "pre"])
    ask.add_argument("--rounds", type=int, default=7)
    said = ask.parse_args()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads; size {SIZE}, {HEADS} heads, hidden {HIDDEN}")
    for norm in said.norms:
        for length in said.lengths:
            found = times(length, max(said.rounds, 2048 // length), norm)
            expected = predicted(length)
            print(
                f"{norm:5}{length:6}: {1000 * statistics.median(found[OURS]):8.1f} ms,"
                f" ratio to PyTorch {ratio(found, THEIRS, OURS):.2f};"
                f" attention / feed-forward: time {ratio(found, ATTENTION, FEED):.2f},"
                f" multiplications {expected[ATTENTION] / expected[FEED]:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
