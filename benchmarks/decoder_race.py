"""The course's sequence-to-sequence model against the step-by-step decoder of common tutorials, on the same data.

    python benchmarks/decoder_race.py                        spelling to sound, about seven minutes
    python benchmarks/decoder_race.py --task translation     French to English

First speed: real target tokens per second of training, `<end>` included and padding not. All take turns in short
slices, so that a machine whose speed drifts slows all of them; a ratio is the median over rounds. Then learning:
held-out loss, the mean negative log likelihood of a real target token, against seconds of training; these runs take
turns too, and the clock of each stands still while others run and while the loss is measured. All have size 128 and no
dropout. The loop's best settings are the fastest of six; then it gets our optimizer and our plan for its learning rate.
"""

import argparse
import copy
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from step_by_step import AsTaught, Padded, StepByStep, loop_loss
from torch import nn

from course_utils.attention import scaled_dot
from course_utils.attention.scores import Additive
from course_utils.data.buckets import Buckets
from course_utils.data.text import Batch, Pair, Vocabulary
from course_utils.models.seq2seq import Seq2Seq, token_loss
from course_utils.train.schedule import rate_at

SIZE, ROWS, TOKENS = 128, 32, 1000
TAUGHT, CAREFUL, BUCKETED = f"loop as taught, {ROWS}", f"loop, {ROWS}", f"loop, {ROWS} of one length"
SAME, OURS = f"ours, {ROWS}", f"ours, {ROWS} of one length"
MEASURES = 30  # of the held-out loss, in each run


@dataclass(frozen=True)
class Data:
    """The pairs to train on, the pairs held out, and the vocabularies."""

    train: Sequence[Pair]
    dev: Sequence[Pair]
    sources: Vocabulary
    targets: Vocabulary


@dataclass(frozen=True)
class Recipe:
    """How a contestant trains: without a `budget` in seconds its learning rate stays as it is."""

    batches: Padded | Buckets
    learning_rate: float = 1e-3
    optimizer: type[torch.optim.Optimizer] = torch.optim.AdamW
    clip: float | None = 1.0
    half: bool = False  # bfloat16 where autocast allows it
    fused: bool = True
    budget: float | None = None


class Run:
    """A model in training, and the seconds that it has trained."""

    def __init__(self, make: Callable[[], nn.Module], recipe: Recipe) -> None:
        torch.manual_seed(0)
        self.model, self.recipe = make(), recipe
        self.loss = token_loss if isinstance(self.model, Seq2Seq) else loop_loss
        self.weights = list(self.model.parameters())
        self.optimizer = recipe.optimizer(self.weights, lr=recipe.learning_rate, fused=recipe.fused or None)
        self.stream = endless(recipe.batches)
        self.seconds = 0.0

    def train(self, until: float) -> int:
        """Trains at least one step and until so many seconds are spent in all; gives the number of target tokens."""
        tokens, before, began = 0, self.seconds, time.perf_counter()
        while not tokens or self.seconds < until:
            tokens += self._step(next(self.stream))
            self.seconds = before + time.perf_counter() - began
        return tokens

    def _step(self, batch: Batch) -> int:
        recipe = self.recipe
        if recipe.budget:
            share = min(1.0, self.seconds / recipe.budget)
            self.optimizer.param_groups[0]["lr"] = recipe.learning_rate * rate_at(share, warmup=0.1)
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.half):
            total, number = self.loss(self.model, batch)
        self.optimizer.zero_grad()
        (total / number).backward()
        if recipe.clip:
            nn.utils.clip_grad_norm_(self.weights, recipe.clip)
        self.optimizer.step()
        return number


def endless(batches: Padded | Buckets) -> Iterator[Batch]:
    """Epoch after epoch."""
    number = 0
    while True:
        yield from batches.epoch(number)
        number += 1


def rows_of_one_length(buckets: Buckets, rows: int) -> Buckets:
    """The same buckets, cut into batches of so many rows instead of so many tokens."""
    other = copy.copy(buckets)
    other.groups = [copy.copy(group) for group in buckets.groups]
    for group in other.groups:
        group.rows = rows
    return other


def load(task: str, number: int | None) -> Data:
    """Loads a task; `number` takes the first pairs only, which are a fair sample."""
    if task == "g2p":
        from course_utils.data.pronunciations import load_pronunciations, pairs

        splits = load_pronunciations()
        train, dev = pairs(splits.train)[:number], pairs(splits.dev, first_only=True)
    else:
        from course_utils.data.translation import load_translation

        splits = load_translation()
        train, dev = splits.train[:number], splits.dev
    at_least = 1 if task == "g2p" else 2
    source, target = (Vocabulary([pair[side] for pair in train], at_least=at_least) for side in (0, 1))
    return Data(train, dev[:1000], source, target)


def makers(data: Data) -> dict[str, Callable[[], nn.Module]]:
    """The models: all of one size, the loop with additive attention, ours with additive or scaled dot products."""
    sizes = len(data.sources), len(data.targets), SIZE
    return {
        "taught": lambda: AsTaught(*sizes),
        "loop": lambda: StepByStep(*sizes),
        "additive": lambda: Seq2Seq(*sizes, Additive(SIZE, SIZE, SIZE)),
        "scaled dot": lambda: Seq2Seq(*sizes, scaled_dot),
    }


def contestants(data: Data) -> dict[str, tuple[str, Recipe]]:
    """Who takes part in the race for speed: a name, the model, and how it trains."""
    padded = Padded(data.train, data.sources, data.targets, ROWS)
    buckets = Buckets(data.train, data.sources, data.targets, TOKENS)
    few = rows_of_one_length(buckets, ROWS)
    adam = torch.optim.Adam
    entered = {
        TAUGHT: ("taught", Recipe(padded, optimizer=adam, clip=None, fused=False)),
        CAREFUL: ("loop", Recipe(padded)),
        SAME: ("additive", Recipe(padded)),
        BUCKETED: ("loop", Recipe(few)),
        OURS: ("additive", Recipe(few)),
    }
    for half in (False, True):
        name = ", bfloat16" if half else ""
        for rows in (ROWS, 2 * ROWS, 4 * ROWS):
            if half or rows > ROWS:
                entered[f"loop, {rows}{name}"] = ("loop", Recipe(padded.with_rows(rows), half=half))
        entered[f"loop, {TOKENS} tokens{name}"] = ("loop", Recipe(buckets, half=half))
        for score in ("additive", "scaled dot"):
            entered[f"ours, {score}, {TOKENS} tokens{name}"] = (score, Recipe(buckets, half=half))
    return entered


def speeds(runs: dict[str, Run], seconds: float, rounds: int) -> dict[str, list[float]]:
    """Target tokens per second of each contestant in each round; they take turns, and the first round warms up."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for round_number in range(rounds + 1):
        for name, run in runs.items():
            before = run.seconds
            tokens = run.train(before + seconds)
            if round_number:
                found[name].append(tokens / (run.seconds - before))
    return found


def ratio(found: dict[str, list[float]], one: str, other: str) -> float:
    """How many times as fast one is as another, round by round; the median."""
    return statistics.median(a / b for a, b in zip(found[one], found[other], strict=True))


def fastest(found: dict[str, list[float]], start: str, tokens: bool = True) -> str:
    """The contestant with the highest median among those whose name starts so; without `tokens`, in padded batches."""
    names = [name for name in found if name.startswith(start) and (tokens or "tokens" not in name)]
    return max((name for name in names if "one length" not in name), key=lambda name: statistics.median(found[name]))


@torch.no_grad()
def held_out_loss(run: Run, batches: Sequence[Batch]) -> float:
    """The mean negative log likelihood of a real target token, `<end>` included, in float32."""
    run.model.eval()
    found = [run.loss(run.model, batch) for batch in batches]
    run.model.train()
    return sum(total.item() for total, _ in found) / sum(number for _, number in found)


Curve = list[tuple[float, float]]  # (seconds of training, held-out loss)


def learn(runs: dict[str, Run], budgets: dict[str, float], dev: Sequence[Batch]) -> dict[str, Curve]:
    """Trains each for its budget in seconds, in turns, and measures as it goes."""
    curves: dict[str, Curve] = {name: [] for name in runs}
    for part in range(1, MEASURES + 1):
        for name, run in runs.items():
            if run.seconds < (until := budgets[name] * part / MEASURES):
                run.train(until)
                curves[name].append((run.seconds, held_out_loss(run, dev)))
    return curves


def time_to(curves: Sequence[Curve], loss: float) -> float:
    """Seconds after which the first of several runs, begun together, has a held-out loss of at most this; or inf."""
    return min((second for curve in curves for second, value in curve if value <= loss), default=float("inf"))


def show_speeds(runs: dict[str, Run], found: dict[str, list[float]]) -> tuple[str, str]:
    """Prints the speeds and what follows from them; gives the fastest loop and the fastest of ours."""
    print(f"\n{'speed':38}{'parameters':>11}{'tokens/s':>10}{'ratio':>7}")
    for name, values in found.items():
        parameters = sum(weight.numel() for weight in runs[name].weights)
        print(f"{name:38}{parameters:11}{statistics.median(values):10.0f}{ratio(found, name, TAUGHT):7.2f}")
    loop, ours = fastest(found, "loop", tokens=False), fastest(found, "ours")
    print("\nratio of ours to the loop")
    for words, one, other in (
        ("equal size, rows and precision, each with its own batches, loop as taught", OURS, TAUGHT),
        ("the same, loop written with care", OURS, CAREFUL),
        ("the same padded batches, loop as taught", SAME, TAUGHT),
        ("the same padded batches, loop written with care", SAME, CAREFUL),
        ("the same batches of one length, loop written with care", OURS, BUCKETED),
        (f"best settings of each: {ours} / {loop}", ours, loop),
        ("the same, with our batches for the loop too", ours, fastest(found, f"loop, {TOKENS}")),
    ):
        print(f"{ratio(found, one, other):6.2f}  {words}")
    return loop, ours


def show_learning(curves: dict[str, Curve], loops: Sequence[str]) -> None:
    """Prints the held-out losses, and when ours reached those at which the loops ended."""
    print(f"\n{'learning':64}{'seconds':>9}{'held-out loss':>15}")
    for name, curve in curves.items():
        seconds, loss = curve[-1]
        print(f"{name:64}{seconds:9.1f}{loss:15.4f}")
    print("\ntime until ours reached the loss at which the loop ended")
    ours = [curve for name, curve in curves.items() if name not in loops]
    for name in loops:
        seconds, loss = curves[name][-1]
        reached = time_to(ours, loss)
        print(f"{reached:6.1f} s, {100 * reached / seconds:5.1f} % of its time: {name}")


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--task", choices=["g2p", "translation"], default="g2p")
    ask.add_argument("--pairs", type=int, help="train on the first pairs only")
    ask.add_argument("--slice", type=float, default=1.0, help="seconds of each contestant in a round")
    ask.add_argument("--rounds", type=int, default=6)
    ask.add_argument("--train", type=float, default=90.0, help="seconds of training; 0 leaves learning out")
    ask.add_argument("--plans", type=float, nargs="+", default=[0.1, 0.2, 1.0], help="ours: shares of these seconds")
    ask.add_argument("--rate", type=float, default=4e-3, help="highest learning rate of ours")
    ask.add_argument("--loop-rate", type=float, default=4e-3, help="and of the loop with its best settings")
    said = ask.parse_args()
    data = load(said.task, said.pairs)
    make, entered = makers(data), contestants(data)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {platform.processor() or platform.machine()}")
    print(f"{said.task}: {len(data.train)} pairs, size {SIZE}, median of {said.rounds} rounds of {said.slice} s")
    runs = {name: Run(make[model], recipe) for name, (model, recipe) in entered.items()}
    loop, ours = show_speeds(runs, speeds(runs, said.slice, said.rounds))
    if not said.train:
        return
    del runs

    def begin(name: str, learning_rate: float, budget: float) -> Run:
        model, recipe = entered[name]
        return Run(make[model], Recipe(recipe.batches, learning_rate, half=recipe.half, budget=budget))

    taught, best = f"{TAUGHT}, Adam 0.001", f"{loop}, AdamW, rising and falling to {said.loop_rate}"
    runs = {taught: Run(make["taught"], entered[TAUGHT][1]), best: begin(loop, said.loop_rate, said.train)}
    budgets = dict.fromkeys(runs, said.train)
    for share in said.plans:
        name = f"{ours}, planned for {share * said.train:g} s"
        runs[name], budgets[name] = begin(ours, said.rate, share * said.train), share * said.train
    dev = list(Buckets(data.dev, data.sources, data.targets, 4 * TOKENS).epoch(0))
    show_learning(learn(runs, budgets, dev), [taught, best])


if __name__ == "__main__":
    main()
