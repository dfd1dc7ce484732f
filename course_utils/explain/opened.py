"""An attention cut open: the values that it mixes, its weights, and everything that follows as one function."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_utils.data.clicks import Visits
from course_utils.data.dates import TARGET_FIELDS
from course_utils.data.text import PAD, Batch
from course_utils.models.classifier import Classifier
from course_utils.models.clicks import ClickModel
from course_utils.models.seq2seq import Seq2Seq

DIGITS = [place for place, field in enumerate(TARGET_FIELDS) if field != "other"]  # of 2026-11-21, without hyphens


class Opened(NamedTuple):
    """One row for each question that is asked: what is mixed, with which weights, and what is made of the mix.

    Shapes: values (row, key, size); mask (row, key), True = real; weights (row, key); `answer` turns contexts (row,
    size) into logarithms of chances (row, class), with all else as it was when the model was opened.
    """

    values: Tensor
    mask: Tensor
    weights: Tensor
    answer: Callable[[Tensor], Tensor]

    def under(self, weights: Tensor) -> Tensor:
        """What is answered under other weights. Shapes: weights (row, key) → (row, class), logarithms of chances."""
        return self.answer((weights.unsqueeze(-2) @ self.values).squeeze(-2))


@torch.no_grad()
def open_classifier(model: Classifier, numbers: Tensor) -> Opened:
    """Opens a classifier with attention pooling. Shapes: numbers (text, word, feature) → a row for each text.

    The model is put into evaluation mode. Raises ValueError for another pooling.
    """
    if model.pool is None:
        raise ValueError(f"model: got the pooling {model.pooling!r}, expected 'attention', which has weights")
    model.eval()
    mask = numbers[..., 0] != PAD
    values = model.read(model.embed(numbers), mask)
    return Opened(values, mask, model.pool(values, mask)[1], lambda context: model.predict(context).log_softmax(-1))


@torch.no_grad()
def open_reader(model: Seq2Seq, batch: Batch) -> Opened:
    """Opens a reader of dates that has read the true digits so far: a row for each of the eight digits of each date.

    Shapes: rows (date · 8), the digits of a date one after another. The model is put into evaluation mode. Raises
    ValueError for a model without attention.
    """
    attention, join = model.attention, model.join
    if attention is None or join is None:
        raise ValueError("model: got a reader without attention, expected one with")
    model.eval()
    asked: list[Any] = []
    hook = attention.register_forward_pre_hook(lambda module, given: asked.extend(given))
    try:
        weights = model(batch.source, batch.source_mask, batch.target_in)[1]
    finally:
        hook.remove()
    query, states, mask = asked[:3]  # (date, target, size), (date, key, size), (date, 1, key)
    query = query[:, DIGITS].flatten(0, 1)
    values, mask = (part.repeat_interleave(len(DIGITS), 0) for part in (states, mask.squeeze(1)))

    def answer(context: Tensor) -> Tensor:
        return model.project(torch.tanh(join(torch.cat([context, query], -1)))).log_softmax(-1)

    return Opened(values, mask, weights[:, DIGITS].flatten(0, 1), answer)


@torch.no_grad()
def open_clicks(model: ClickModel, visits: Visits) -> Opened:
    """Opens a model of clicks: a row for each visit; class 1 is a click. The model is put into evaluation mode."""
    model.eval()
    candidate, values = model.table(visits.candidate), model.table(visits.history)

    def answer(context: Tensor) -> Tensor:
        return click_chances(model.predict(torch.cat([context, candidate], -1)).squeeze(-1))

    return Opened(values, visits.mask, model.ask(candidate, values, visits.mask)[1], answer)


def click_chances(logits: Tensor) -> Tensor:
    """Logarithms of the chances of no click and of a click. Shapes: logits (…) → (…, 2)."""
    return torch.stack([F.logsigmoid(-logits), F.logsigmoid(logits)], -1)


def digit_chances(model: nn.Module, batch: Batch) -> Tensor:
    """What a reader answers at each digit, having read the true ones so far. Shapes: → (date · 8, class)."""
    logits = model(batch.source, batch.source_mask, batch.target_in)[0]
    return logits[:, DIGITS].flatten(0, 1).log_softmax(-1)
