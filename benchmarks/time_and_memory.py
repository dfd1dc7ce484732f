"""Time and memory of multi-head attention against length: ours, the readable form, PyTorch's kernel and its module.

    python benchmarks/time_and_memory.py                      lengths 128 to 4096, forward and training
    python benchmarks/time_and_memory.py --lengths 4096 --modes forward

All take turns in one run, so that a machine whose speed drifts slows all of them; a ratio is the median over rounds of
(time of nn.MultiheadAttention with the same options) / (time of this one): above 1 is faster. Without gradients the
modules are in evaluation mode; in training a call is a forward and a backward pass. Extra memory is the growth of the
process's peak over one call, measured in a process of its own (on CUDA: the allocator's peak).
"""

import argparse
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from memory import peak
from torch import Tensor, nn

from course_utils.attention import attend
from course_utils.attention.heads import MultiHeadAttention, merge_heads, split_heads
from course_utils.attention.torch_heads import copy_from_torch

SIZE, HEADS = 512, 8
WITHOUT, WITH = "nn.MultiheadAttention", "nn.MultiheadAttention with weights"


def contestants(device: torch.device) -> dict[str, Callable[[Tensor], Tensor]]:
    """The same attention six ways, with equal parameters: each maps (batch, length, size) to the same shape.

    Two of them give the weights as well; they are held against PyTorch's module with weights, the others against it
    without.
    """
    torch.manual_seed(0)
    theirs = nn.MultiheadAttention(SIZE, HEADS, batch_first=True).to(device)
    ours = MultiHeadAttention(SIZE, HEADS).to(device)
    copy_from_torch(theirs, ours)

    def kernel(x: Tensor) -> Tensor:
        """The kernel alone, between the same projections."""
        parts = F.linear(x, theirs.in_proj_weight, theirs.in_proj_bias).chunk(3, dim=-1)
        query, key, value = (split_heads(part, HEADS) for part in parts)
        return theirs.out_proj(merge_heads(F.scaled_dot_product_attention(query, key, value)))

    def naive(x: Tensor) -> Tensor:
        """The readable form, which keeps scores and weights."""
        parts = F.linear(x, theirs.in_proj_weight, theirs.in_proj_bias).chunk(3, dim=-1)
        return theirs.out_proj(merge_heads(attend(*(split_heads(part, HEADS) for part in parts))[0]))

    return {
        "ours": lambda x: ours(x, x, x)[0],
        "ours with weights": lambda x: ours(x, x, x, need_weights=True)[0],
        "naive": naive,
        "F.scaled_dot_product_attention": kernel,
        WITHOUT: lambda x: theirs(x, x, x, need_weights=False)[0],
        WITH: lambda x: theirs(x, x, x, average_attn_weights=False)[0],
    }


def ratio(found: dict[str, list[float]], name: str) -> float:
    """How many times as fast as PyTorch's module with the same options, round by round; the median."""
    reference = found[WITH if "with weights" in name else WITHOUT]
    return statistics.median(theirs / one for theirs, one in zip(reference, found[name], strict=True))


def call(attention: Callable[[Tensor], Tensor], x: Tensor, mode: str) -> None:
    """One forward pass without gradients, or one forward and backward pass."""
    if mode == "forward":
        with torch.inference_mode():
            attention(x)
    else:
        attention(x).sum().backward()
    if x.is_cuda:
        torch.cuda.synchronize()


def set_mode(attention: Callable, mode: str) -> None:
    """Modules hide in the closures above: switch each to evaluation or training."""
    for cell in attention.__closure__ or ():
        if isinstance(cell.cell_contents, nn.Module):
            cell.cell_contents.train(mode == "training")


def times(length: int, mode: str, rounds: int, device: torch.device) -> dict[str, list[float]]:
    """Seconds of each contestant in each round; they take turns."""
    x = torch.randn(1, length, SIZE, device=device, requires_grad=mode == "training")
    entered = contestants(device)
    found: dict[str, list[float]] = {name: [] for name in entered}
    for round_number in range(rounds + 1):  # the first one warms up
        for name, attention in entered.items():
            set_mode(attention, mode)
            started = time.perf_counter()
            call(attention, x, mode)
            if round_number:
                found[name].append(time.perf_counter() - started)
    return found


def extra_memory(name: str, length: int, mode: str, device: torch.device) -> float:
    """Megabytes by which one call raises the peak; called in a fresh process, or on CUDA."""
    attention = contestants(device)[name]
    set_mode(attention, mode)
    call(attention, torch.randn(1, 16, SIZE, device=device, requires_grad=mode == "training"), mode)  # loads libraries
    x = torch.randn(1, length, SIZE, device=device, requires_grad=mode == "training")
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        call(attention, x, mode)
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    before = peak()
    call(attention, x, mode)
    return peak() - before


def in_fresh_process(name: str, length: int, mode: str, device: torch.device) -> float:
    """The same, measured in a process of its own, whose peak nothing else has raised."""
    command = [sys.executable, __file__, "--memory-of", name, "--lengths", str(length), "--modes", mode]
    done = subprocess.run([*command, "--device", str(device)], capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--lengths", type=int, nargs="+", default=[128, 512, 1024, 2048, 4096])
    ask.add_argument("--modes", nargs="+", choices=["forward", "training"], default=["forward", "training"])
    ask.add_argument("--rounds", type=int, default=5)
    ask.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    ask.add_argument("--memory-of", help=argparse.SUPPRESS)
    said = ask.parse_args()
    if said.memory_of:
        print(extra_memory(said.memory_of, said.lengths[0], said.modes[0], said.device))
        return
    print(f"torch {torch.__version__}, {said.device}, {torch.get_num_threads()} threads, {platform.processor()}")
    print(f"batch 1, {HEADS} heads of {SIZE // HEADS}, float32, median of {said.rounds} rounds\n")
    print(f"{'mode':9}{'length':>7}  {'':36}{'ms':>9}{'ratio':>7}{'extra MB':>10}")
    for mode in said.modes:
        for length in said.lengths:
            found = times(length, mode, said.rounds, said.device)
            for name, seconds in found.items():
                memory = in_fresh_process(name, length, mode, said.device)
                milliseconds = 1000 * statistics.median(seconds)
                print(
                    f"{mode:9}{length:7}  {name:36}{milliseconds:9.1f}{ratio(found, name):7.2f}{memory:10.1f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
