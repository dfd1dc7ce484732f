"""Two systems of the lab where the truth is known: dates, whose fields we wrote, and clicks, which we simulated."""

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_utils.attention import Score, scaled_dot
from course_utils.data.clicks import Visits, relevance, simulate_visits
from course_utils.data.dates import FIELDS, TARGET_FIELDS, DatePair, make_dates, split_dates
from course_utils.data.shop import GOODS
from course_utils.data.text import PAD, Vocabulary, collate
from course_utils.explain.inputs import Slopes, leave_one_out, slopes
from course_utils.explain.opened import (
    DIGITS,
    Opened,
    click_chances,
    digit_chances,
    open_clicks,
    open_reader,
)
from course_utils.explain.systems import LEAST, System
from course_utils.models.clicks import ClickModel
from course_utils.models.seq2seq import Seq2Seq
from course_utils.train.clicks import fit_clicks
from course_utils.train.fit import fit
from course_utils.train.ranking import auc


@cache
def _dates() -> tuple[list[DatePair], list[DatePair], Vocabulary, Vocabulary]:
    known, new = split_dates(make_dates(6000, seed=0), held_out=0.1)
    return known, new, Vocabulary(pair.source for pair in known), Vocabulary(pair.target for pair in known)


def even_score(query: Tensor, key: Tensor) -> Tensor:
    """Scores every key alike. Shapes: query (…, query, size), key (…, key, size) → (…, query, key), zeros."""
    return query.new_zeros(*query.shape[:-1], key.shape[-2])


class Dates(System):
    """The reader of lesson 00, which has read the true digits so far. The truth: the field in which a digit stands."""

    def __init__(
        self, seed: int = 0, device: torch.device | str = "cpu", score: Score = scaled_dot, steps: int = 300,
        count: int = 150,
    ) -> None:  # fmt: skip
        self.known, new, self.sources, self.targets = _dates()
        self.device = torch.device(device)
        self.batch = collate(new[:count], self.sources, self.targets).to(device)
        self.wanted = self.batch.target_out[:, DIGITS].flatten()
        self.truth = _fields(new[:count], self.batch.source.shape[1]).to(device)
        torch.manual_seed(seed)
        self.model: Seq2Seq = Seq2Seq(len(self.sources), len(self.targets), size=64, score=score).to(device)
        generator = torch.Generator().manual_seed(seed)

        def loss(step: int) -> Tensor:
            drawn = torch.randint(len(self.known), (64,), generator=generator).tolist()
            batch = collate([self.known[n] for n in drawn], self.sources, self.targets).to(device)
            logits, _ = self.model(batch.source, batch.source_mask, batch.target_in)
            return F.cross_entropy(logits.transpose(1, 2), batch.target_out, ignore_index=PAD)

        fit(self.model, loss, steps, learning_rate=0.012)
        self.model.eval()

    def open(self) -> Opened:
        """A row for each digit."""
        return open_reader(self.model, self.batch)

    def left_out(self) -> Tensor:
        """How far each digit moves without each character. Shapes: → (date · 8, key)."""

        def ask(mask: Tensor, source: Tensor) -> Tensor:
            return (
                self.model(source, mask.unsqueeze(1), self.batch.target_in)[0][:, DIGITS].flatten(0, 1).log_softmax(-1)
            )

        return leave_one_out(ask, self.batch.source_mask.squeeze(1), self.batch.source)

    def slopes(self) -> Slopes:
        """How steeply it rises with each character's vector. Shapes: → (date · 8, key), twice."""
        embed: nn.Module = self.model.encode.embed  # type: ignore[assignment]
        return slopes(self.model, embed, lambda: digit_chances(self.model, self.batch), len(DIGITS))

    def run(self, model: nn.Module, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Some of the dates to learn from. Shapes: → (date, 8, class), (date, 8, key)."""
        batch = collate([self.known[row] for row in rows.tolist()], self.sources, self.targets).to(self.device)
        logits, weights = model(batch.source, batch.source_mask, batch.target_in)
        return logits[:, DIGITS].log_softmax(-1), weights[:, DIGITS]


def _fields(pairs: list[DatePair], longest: int) -> Tensor:
    """Where the field of each digit stands. Shapes: → (date · 8, key), True or False."""
    found = torch.full((len(pairs), longest), -1)
    for row, pair in zip(found, pairs, strict=True):
        row[: len(pair.fields)] = torch.tensor([FIELDS.index(field) for field in pair.fields])
    wanted = torch.tensor([FIELDS.index(TARGET_FIELDS[place]) for place in DIGITS])
    return (found[:, None] == wanted[:, None]).flatten(0, 1)


@cache
def _visits() -> tuple[Visits, Visits]:
    learn, asked = (
        simulate_visits(40000, torch.Generator().manual_seed(0)),
        simulate_visits(2000, torch.Generator().manual_seed(1)),
    )
    rows = asked.mask.sum(1) >= LEAST
    return learn, Visits(*(part[rows] for part in asked))


class Clicks(System):
    """The model of clicks of lesson 12 on visits with at least five clicks. The truth: the relevance of each click."""

    def __init__(
        self, weighing: str = "softmax", seed: int = 0, device: torch.device | str = "cpu", steps: int = 400,
        learning_rate: float = 1e-2,
    ) -> None:  # fmt: skip
        learn, asked = _visits()
        self.truth = relevance()[asked.history, asked.candidate[:, None]].to(device)
        self.learn, self.asked = (Visits(*(part.to(device) for part in some)) for some in (learn, asked))
        self.wanted = self.asked.clicked
        torch.manual_seed(seed)
        self.model: ClickModel = ClickModel(len(GOODS), weighing).to(device)
        fit_clicks(self.model, learn, steps, learning_rate, seed=seed)

    def open(self) -> Opened:
        """A row for each visit."""
        return open_clicks(self.model, self.asked)

    def left_out(self) -> Tensor:
        """How far the chance moves without each past click. Shapes: → (visit, place)."""

        def ask(mask: Tensor, history: Tensor) -> Tensor:
            return click_chances(self.model(self.asked._replace(mask=mask, history=history))[0])

        return leave_one_out(ask, self.asked.mask, self.asked.history)

    def slopes(self) -> Slopes:
        """How steeply it rises with each past click's vector. Shapes: → (visit, place), twice."""
        return slopes(self.model, self.model.table, lambda: click_chances(self.model(self.asked)[0]))

    def run(self, model: nn.Module, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Some of the visits to learn from. Shapes: → (visit, 2), (visit, place)."""
        logits, weights = model(Visits(*(part[rows] for part in self.learn)))
        return click_chances(logits), weights

    def right(self, chances: Tensor) -> float:
        """The AUC, in %: a click and no click, how often does the first get the higher chance?"""
        return 100 * auc(chances[:, 1] - chances[:, 0], self.wanted)
