"""What each way to attend costs as the text grows: time, and memory, against length; and what a cache saves in writing.

    OMP_NUM_THREADS=1 python benchmarks/cheaper.py length     about five minutes; writes the report that lesson 13 draws
    OMP_NUM_THREADS=1 python benchmarks/cheaper.py writing    under a minute; likewise
    OMP_NUM_THREADS=1 python benchmarks/cheaper.py length --rounds 1 --lengths 512 1024    a trial that writes nothing

Batch 1, eight heads of 64, float32, forward without gradients, one thread. In each round all contestants take turns at
all lengths within one process, beside one large matrix product, which says what the processor gave at that moment; a
ratio is the median over rounds. Seconds are those of computing, so that a neighbour on the machine counts for less. The
readable form stops at 4096, where its matrices fill a gigabyte. Extra memory is the growth of the process's peak over
one call, in a process of its own. Slopes are fitted to the logarithms from length 1024 up, round by round. Writing: a
language model with untrained weights, of which time does not ask, writes 256 tokens greedily, one after the other, with
caches and without.
"""

import argparse
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import torch
import torch.nn.functional as F
from memory import peak
from torch import Tensor

from course_utils.attention import attend
from course_utils.attention.linear import chunked_attend
from course_utils.attention.tiles import tiled_attend
from course_utils.attention.windows import batched_window_attend, top_k_attend, window_attend
from course_utils.models.language import LanguageModel
from course_utils.train.reports import machine
from course_utils.train.reports.experiments import write_experiment

NAME = "cheaper"
HEADS, SIZE, WINDOW, CHUNK, TILE, BEST = 8, 64, 64, 64, 256, 64
LENGTHS = [256, 512, 1024, 2048, 4096, 8192]
TOKENS, VOCABULARY, MODEL = 256, 64, {"size": 128, "heads": 4, "hidden": 512, "layers": 3}
FROM, PRODUCT = 1024, 2048  # slopes are fitted from here up; rows of the square matrices of the large product
Attention = Callable[[Tensor, Tensor, Tensor], Tensor]
CONTESTANTS: dict[str, Attention] = {
    "naive": lambda q, k, v: attend(q, k, v)[0],
    "fused": lambda q, k, v: F.scaled_dot_product_attention(q, k, v),
    "fused, causal": lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
    "tiles": lambda q, k, v: tiled_attend(q, k, v, tile=TILE),
    "tiles, causal": lambda q, k, v: tiled_attend(q, k, v, tile=TILE, causal=True),
    "top-k": lambda q, k, v: top_k_attend(q, k, v, BEST),
    "window": lambda q, k, v: window_attend(q, k, v, WINDOW),
    "window, batched": lambda q, k, v: batched_window_attend(q, k, v, WINDOW),
    "linear": lambda q, k, v: chunked_attend(q, k, v, CHUNK)[0],
}
SMALL = (
    "tiles of 64"  # measured for memory only: a tile itself takes room, which large tiles let nothing else be seen of
)
REMEMBERED = {**CONTESTANTS, SMALL: lambda q, k, v: tiled_attend(q, k, v, tile=64, causal=True)}
LONGEST = {"naive": 4096, "top-k": 4096, "tiles": 4096}
PAIRS = {  # query-key pairs that each must look at, for each head
    "naive": lambda n: n * n,
    "fused": lambda n: n * n,
    "fused, causal": lambda n: n * (n + 1) / 2,
    "tiles": lambda n: n * n,
    "tiles, causal": lambda n: n * (n + 1) / 2,
    "top-k": lambda n: n * n,
    "window": lambda n: n * WINDOW,
    "window, batched": lambda n: n * WINDOW,
    "linear": lambda n: n * SIZE,  # a step writes a state of size · size and reads it: as many products as SIZE pairs
}


def draw(length: int, grad: bool = False) -> list[Tensor]:
    """Queries, keys and values: (1, heads, length, size)."""
    generator = torch.Generator().manual_seed(length)
    return [torch.randn(1, HEADS, length, SIZE, generator=generator).requires_grad_(grad) for _ in range(3)]


def operations(name: str, length: int) -> float:
    """Operations that a contestant cannot avoid: two products, a multiplication and an addition each."""
    return 4 * HEADS * SIZE * PAIRS[name](length)


def seconds(call: Callable[[], Any]) -> float:
    """Seconds of a call: the mean of as many as fit into a tenth of a second, at least one."""
    began, calls = time.process_time(), 0
    while calls == 0 or time.process_time() - began < 0.1:
        call()
        calls += 1
    return (time.process_time() - began) / calls


def one_round(length: int, names: Sequence[str], training: bool = False) -> dict[str, float]:
    """Seconds of each contestant at a length, and of the large product beside them; they take turns."""
    given, one = draw(length, training), torch.randn(PRODUCT, PRODUCT, generator=torch.Generator().manual_seed(0))
    found = {}
    for name in names:
        with torch.inference_mode(not training):
            found[name] = seconds(lambda: _call(CONTESTANTS[name], given, training))  # noqa: B023
    found["product"] = seconds(lambda: one @ one)
    return {name: round(taken, 6) for name, taken in found.items()}


def _call(attention: Attention, given: list[Tensor], training: bool) -> None:
    context = attention(*given)
    if training:
        torch.autograd.grad(context.sum(), given)


def entered(length: int) -> list[str]:
    """Who takes part at a length."""
    return [name for name in CONTESTANTS if length <= LONGEST.get(name, length)]


def times(lengths: Sequence[int], rounds: int) -> dict[str, dict[str, list[float]]]:
    """Seconds at each length of each contestant in each round, after a round to warm up at the shortest lengths."""
    for length in sorted(lengths)[:2]:
        one_round(length, entered(length))
    each = [{length: one_round(length, entered(length)) for length in lengths} for _ in range(rounds)]
    return {
        str(length): {name: [found[length][name] for found in each] for name in [*entered(length), "product"]}
        for length in lengths
    }


def slope(lengths: Sequence[int], values: Sequence[float]) -> float:
    """The slope of the straight line through the logarithms, by least squares: 2 for a square, 1 for a line."""
    x, y = torch.tensor(lengths).double().log(), torch.tensor(values).double().log()
    x = x - x.mean()
    return float((x * y).sum() / (x * x).sum())


def slopes(found: dict[str, dict[str, list[float]]], name: str) -> list[float]:
    """One slope for each round, from length FROM up."""
    lengths = [length for length in found if int(length) >= FROM and name in found[length]]
    rounds = zip(*(found[length][name] for length in lengths), strict=True)
    return [round(slope([int(length) for length in lengths], values), 3) for values in rounds]


def ratio(found: dict[str, list[float]], slower: str, faster: str) -> list[float]:
    """How many times as fast the second is, round by round."""
    return [round(a / b, 3) for a, b in zip(found[slower], found[faster], strict=True)]


def extra_memory(name: str, length: int) -> float:
    """Megabytes by which one call raises the peak; to be called in a fresh process."""
    with torch.inference_mode():
        REMEMBERED[name](*draw(16))  # loads libraries
        given = draw(length)
        before = peak()
        REMEMBERED[name](*given)
        return peak() - before


def in_fresh_process(name: str, length: int) -> float:
    """The same, measured in a process of its own, whose peak nothing else has raised."""
    command = [sys.executable, __file__, "length", "--memory-of", name, "--lengths", str(length)]
    at_once = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"}  # glibc gives back what was freed, instead of keeping it
    return float(subprocess.run(command, capture_output=True, text=True, check=True, env=at_once).stdout)


@torch.inference_mode()
def write(model: LanguageModel, cached: bool, tokens: int = TOKENS) -> tuple[list[float], list[int]]:
    """Milliseconds of each token, and the tokens."""
    new = written = torch.zeros(1, 1, dtype=torch.long)
    caches, taken = model.caches() if cached else None, []
    for _ in range(tokens):
        began = time.process_time()
        new = model(new if cached else written, caches)[:, -1:].argmax(-1)
        written = torch.cat([written, new], dim=1)
        taken.append(round(1000 * (time.process_time() - began), 3))
    return taken, written[0].tolist()


def writing(rounds: int) -> dict[str, Any]:
    """Milliseconds of each token, the median over rounds; how many times as fast the whole is with caches, by round."""
    torch.manual_seed(0)
    model = LanguageModel(VOCABULARY, **MODEL).eval()
    found: dict[str, list[list[float]]] = {"with": [], "without": []}
    for round_number in range(rounds + 1):
        both = {name: write(model, name == "with") for name in found}
        assert both["with"][1] == both["without"][1], "the two write different texts"
        for name, (taken, _) in both.items() if round_number else []:
            found[name].append(taken)
    totals = {name: [sum(row) for row in rows] for name, rows in found.items()}
    return {
        "milliseconds": {
            name: [round(statistics.median(column), 3) for column in zip(*rows, strict=True)]
            for name, rows in found.items()
        },
        "ratio": [round(a / b, 3) for a, b in zip(totals["without"], totals["with"], strict=True)],
    }


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("task", choices=["length", "writing"])
    ask.add_argument("--lengths", type=int, nargs="+", default=LENGTHS)
    ask.add_argument("--rounds", type=int, default=5)
    ask.add_argument("--memory-of", choices=REMEMBERED, help=argparse.SUPPRESS)
    said = ask.parse_args()
    if said.memory_of:
        print(extra_memory(said.memory_of, said.lengths[0]))
        return
    if said.task == "writing":
        report = about("writing", {"tokens": TOKENS, **MODEL}) | writing(said.rounds)
        print("with caches", statistics.median(report["ratio"]), "× as fast", report["ratio"])
        if said.rounds >= 5:
            print("written", write_experiment(report, "writing"))
        return
    report = measure(said.lengths, said.rounds)
    tell(report)
    if said.lengths == LENGTHS and said.rounds >= 5:
        print("written", write_experiment(report, NAME))


def measure(lengths: Sequence[int], rounds: int) -> dict[str, Any]:
    """Everything, as the report has it."""
    found = times(lengths, rounds)
    memory = {
        str(length): {name: round(in_fresh_process(name, length), 1) for name in [*entered(length), SMALL]}
        for length in lengths
        if length >= FROM
    }
    longest = max(length for length in lengths if length <= LONGEST["naive"])
    each = [one_round(longest, ("naive", "tiles", "fused"), training=True) for _ in range(min(rounds, 3))]
    training = {str(longest): {name: [one[name] for one in each] for name in each[0]}}
    fitted = {name: slopes(found, name) for name in CONTESTANTS if len([n for n in lengths if n >= FROM]) > 1}
    settings = {"heads": HEADS, "size": SIZE, "window": WINDOW, "chunk": CHUNK, "tile": TILE, "k": BEST}
    return about("length", settings | {"product": PRODUCT, "slopes from": FROM}) | {
        "seconds": found,
        "megabytes": memory,
        "training seconds": training,
        "slopes": fitted,
    }


def about(task: str, settings: dict[str, int]) -> dict[str, Any]:
    """How the report was made."""
    return {
        "command": f"python benchmarks/cheaper.py {task}",
        "date": date.today().isoformat(),
        "seeds": [0],
        "machine": machine(torch.device("cpu"), 1),
        "settings": settings,
    }


def tell(report: dict[str, Any]) -> None:
    """Prints slopes, shares of the product's speed, and the ratios that lesson 13 speaks of."""
    for name, fitted in report["slopes"].items():
        if fitted:
            print(f"{name:16} slope of time {statistics.median(fitted):5.2f}   {[round(one, 2) for one in fitted]}")
    for name in REMEMBERED:
        points = {int(n): row[name] for n, row in report["megabytes"].items() if name in row}
        if len(points) > 1:
            of_memory = slope(list(points), [max(megabytes, 0.01) for megabytes in points.values()])
            print(f"{name:16} slope of memory {of_memory:5.2f}  {points}")
    for length, row in report["seconds"].items():
        speed = 2 * PRODUCT**3 / statistics.median(row["product"])
        shares = {
            name: round(100 * operations(name, int(length)) / statistics.median(taken) / speed, 1)
            for name, taken in row.items()
            if name != "product"
        }
        print(f"{length:>6} product {speed / 1e9:.0f} GFLOP/s; share of it in %:", shares)
    last = max(report["seconds"], key=int)
    for slower, faster, where in (
        ("naive", "tiles", "4096"), ("naive", "fused", "4096"), ("fused", "tiles", "4096"),
        ("fused, causal", "window", last), ("fused, causal", "window, batched", last),
        ("fused, causal", "linear", last), ("naive", "top-k", "4096"),
    ):  # fmt: skip
        row = report["seconds"].get(where, {})
        if slower in row and faster in row:
            each = ratio(row, slower, faster)
            print(f"at {where}: {faster} is {statistics.median(each):.2f} × as fast as {slower} {each}")
    for length, row in report["training seconds"].items():
        print(f"training at {length}: tiles", ratio(row, "naive", "tiles"), "fused", ratio(row, "naive", "fused"))
    for length, row in report["megabytes"].items():
        if "naive" in row and not math.isnan(row["naive"]):
            print(f"memory at {length}: tiles {100 * row['tiles'] / row['naive']:.1f} % of naive")


if __name__ == "__main__":
    main()
