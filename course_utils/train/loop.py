"""The training itself: by steps or by minutes, stopped and taken up again at any step."""

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict
from time import perf_counter, process_time

import torch
from torch import nn

from course_utils.data.buckets import Buckets
from course_utils.data.text import PAD, Batch
from course_utils.train.bars import RunBar
from course_utils.train.distributed import SummedLoss, Team
from course_utils.train.evaluation import mean_loss
from course_utils.train.fit import adamw
from course_utils.train.precision import use_half
from course_utils.train.schedule import Budget, Reached, rate_at
from course_utils.train.settings import Settings
from course_utils.train.tasks import Model, Task, loss_of

MEASURES = 20  # how often in a run the held-out loss is measured
SAVE_EVERY = 5.0  # seconds
SAVING = 0.05  # share of the time that saving may take
SHOW_EVERY = 1.0  # seconds


class Training:
    """A model on its way: its weights, its optimizer, where it stands in the data, and how its losses went.

    What a step does depends on the settings and the number of the step alone, dropout included, so that a run that
    was stopped goes on as if nothing had happened. Time counts while steps are made: not while the held-out loss is
    measured, and not between a stop and the next start.
    """

    def __init__(self, model: Model, settings: Settings, task: Task, device: torch.device, team: Team) -> None:
        self.model, self.settings, self.device, self.team = model.to(device), settings, device, team
        self.batches = Buckets(task.train, task.sources, task.targets, settings.batch_tokens, settings.seed)
        self.held_out = Buckets(task.dev, task.sources, task.targets, 8 * settings.batch_tokens)
        steps = settings.steps or (settings.epochs * len(self.batches) if settings.epochs else None)
        self.budget = Budget(steps, settings.minutes and 60 * settings.minutes)
        self.half = use_half(settings.precision, device)
        self.loss = team.wrap(SummedLoss(self.model, loss_of(settings), settings.smoothing), device)
        self.weights = [weight for weight in self.model.parameters() if weight.requires_grad]
        self.optimizer = adamw(self.weights, settings.rate, settings.weight_decay)
        self.reached = Reached()
        self.history: dict[str, list[float]] = {"step": [], "seconds": [], "train": [], "dev": []}
        self.loss_sum, self.loss_tokens = torch.zeros((), device=device), 0  # since the last measurement
        self.clock = process_time if settings.clock == "cpu" else perf_counter
        self.began = self.clock()  # when it would have begun had it never paused

    def run(
        self, save: Callable[[dict], None], stopped: Callable[[], bool], bar: RunBar, save_every: float = SAVE_EVERY
    ) -> bool:
        """Trains until the budget is spent, or gives False when stopped before.

        `save` gets the state each `save_every` seconds, more rarely if saving took more than a twentieth of the time.
        """
        self.model.train()
        self.began = self.clock() - self.reached.elapsed
        saved = shown = perf_counter()
        for batch in self._batches():
            elapsed, stop = self.team.agree(self._elapsed(), stopped())
            share = self.budget.share(self.reached.step, elapsed)
            if share >= len(self.history["dev"]) / MEASURES and self.reached.step:
                self._measure(elapsed)
            if stop and share < 1:
                save(self.state())
                return False
            if share >= 1:
                break
            self._step(batch, share)
            now = perf_counter()
            if now - shown >= SHOW_EVERY:
                shown = now
                self._show(bar)
            if now - saved >= save_every:
                save(self.state())
                saved = perf_counter()
                save_every = max(save_every, (saved - now) / SAVING)
        save(self.state())
        return True

    def state(self) -> dict:
        """All that is needed to go on from here, as tensors, numbers and strings; a loss gone wrong is never kept."""
        self._mean()
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "place": asdict(self.reached),  # under the name that checkpoints have always had
            "history": {name: list(values) for name, values in self.history.items()},
            "recent": [self.loss_sum.detach().cpu(), self.loss_tokens],
        }

    def restore(self, state: dict) -> None:
        """Goes back to a state that `state` gave."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.reached = Reached(**state["place"])
        self.history = {name: list(values) for name, values in state["history"].items()}
        self.loss_sum, self.loss_tokens = state["recent"][0].to(self.device), state["recent"][1]

    def _step(self, batch: Batch, share: float) -> None:
        settings, reached = self.settings, self.reached
        tokens = int((batch.target_out != PAD).sum())  # of the joint batch, which every process knows
        mine, counted = self.team.share(batch)
        # One random stream for each step and process: nothing about it has to be stored.
        torch.manual_seed((settings.seed * 1_000_003 + reached.step) * 1009 + self.team.rank)
        for group in self.optimizer.param_groups:
            group["lr"] = settings.rate * rate_at(share, settings.warmup)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            total, own = self.loss(mine.to(self.device))
        self.optimizer.zero_grad()
        # The processes' gradients are averaged: times their number makes it a sum, over the tokens of all of them.
        (total * (counted * self.team.size / tokens)).backward()
        nn.utils.clip_grad_norm_(self.weights, settings.clip)
        self.optimizer.step()
        self.loss_sum = self.loss_sum + total.detach() * counted
        self.loss_tokens += int(own * counted)
        reached.step, reached.batch, reached.tokens = reached.step + 1, reached.batch + 1, reached.tokens + tokens
        reached.elapsed = self._elapsed()

    def _batches(self) -> Iterator[Batch]:
        while True:
            yield from self.batches.epoch(self.reached.epoch, first=self.reached.batch)
            self.reached.epoch, self.reached.batch = self.reached.epoch + 1, 0

    def _elapsed(self) -> float:
        return self.clock() - self.began

    def _mean(self) -> float:
        """The mean loss since the last measurement; waits until the device has done the steps."""
        loss = self.loss_sum.item() / max(self.loss_tokens, 1)
        if not math.isfinite(loss):
            step = self.reached.step
            raise RuntimeError(f"loss: became {loss} before step {step}; try a lower --rate or another --seed")
        return loss

    def _measure(self, elapsed: float) -> None:
        """Notes the mean losses, of training since the last time and on held-out data; the clock stands still."""
        self._mean()  # what the device has still to do is training time
        began = self.clock()
        total, tokens = self.team.total([self.loss_sum.item(), self.loss_tokens])
        dev = mean_loss(self.model, self.held_out, self.device, loss_of(self.settings)) if self.team.leads else math.nan
        found = {"step": self.reached.step, "seconds": round(elapsed, 3), "train": total / tokens, "dev": dev}
        for name, value in found.items():
            self.history[name].append(value)
        self.loss_sum, self.loss_tokens = torch.zeros_like(self.loss_sum), 0
        self.began += self.clock() - began

    def _show(self, bar: RunBar) -> None:
        loss, elapsed = self._mean(), self.reached.elapsed
        share = self.budget.share(self.reached.step, elapsed)
        bar.show(share, loss, self.reached.tokens / elapsed, elapsed / share * (1 - share))
