"""The ward: twenty patients, each with its complaint, the way in which its symptom shows, and how it is called."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from course_utils.clinic import hiding, scoring, splitting, symptoms, symptoms_more
from course_utils.clinic.shop import hides, noise
from course_utils.clinic.symptoms import Shown


@dataclass(frozen=True, repr=False)
class Patient:
    """An attention with one fault: `attention` is its code, `shows` computes its symptom, `called` is for the audit."""

    number: int
    name: str
    complaint: str
    fault: str
    attention: Callable
    shows: Callable[[Callable], Shown]
    declared: dict[str, Any] = field(default_factory=dict)
    called: Callable | None = None

    def __repr__(self) -> str:
        return f"<patient {self.number}, {self.name}>"


class Modes(nn.Module):
    """A function with the keyword `training` as a module, for an audit in both modes."""

    def __init__(self, attention: Callable) -> None:
        super().__init__()
        self.attend = attention

    def forward(self, *tensors: Tensor) -> Any:
        return self.attend(*tensors, training=self.training)


class Dropping(Modes):
    """The same with a rate of dropout, which an audit may change."""

    def __init__(self, attention: Callable) -> None:
        super().__init__(attention)
        self.dropout_rate = 0.3

    def forward(self, *tensors: Tensor) -> Any:
        return self.attend(*tensors, rate=self.dropout_rate, training=self.training)


def in_heads(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """What heads without projections should give, by PyTorch's own function: the reference of two patients.

    Shapes: query (batch, query, size), key and value (batch, key, size) → (batch, query, size).
    """
    parts = (x.unflatten(-1, (2, -1)).transpose(1, 2) for x in (query, key, value))
    return F.scaled_dot_product_attention(*parts).transpose(1, 2).flatten(2)


def projected(source: Tensor) -> Tensor:
    """One patient with a matrix to project, which an audit does not give."""
    return splitting.self_absorbed(source, noise(6, 18).to(source))[0]


NO_MASK: dict[str, Any] = {"mask": None}
HEADS: dict[str, Any] = {"mask": None, "size": 4, "heads": 2, "weights_shape": "batch heads query key"}
SOURCE: dict[str, Any] = {"order": "source", "mask": None, "returns": "context"}

PATIENTS = [
    Patient(1, "the generous one", "Every wish gets four times what the shop has.", "softmax over one thing",
            scoring.generous, symptoms.weights_on_the_goods, NO_MASK),
    Patient(2, "the sociable one", "Its answer depends on how long the others in the batch are.", "mask not applied",
            hiding.sociable, symptoms.against_padding),
    Patient(3, "the exam cheat", "Its score in evaluation is too good.", "causal in training only",
            hiding.exam_cheat, symptoms_more.in_two_modes, {**SOURCE, "causal": True}, Modes(hiding.exam_cheat)),
    Patient(4, "the stingy one", "The more is sold out, the less it says.", "mask after softmax",
            hiding.stingy, symptoms.against_sold_out),
    Patient(5, "the shuffler", "One head is fine. With two, a wish answers for its neighbours.",
            "heads cut across places", splitting.shuffler, symptoms.wishes_to_answers, HEADS,
            partial(splitting.shuffler, heads=2)),
    Patient(6, "the one set in its ways", "New goods come in, and it recommends as before.", "blind to other keys",
            scoring.set_in_its_ways, symptoms.keys_to_weights, {"mask": None, "size": 4, "rule": None}),
    Patient(7, "the copycat", "Two visitors with different wishes leave with the same map.", "first of the batch",
            scoring.copycat, symptoms.two_in_a_batch),
    Patient(8, "the hermit", "It likes four wishes, and gives three wishes four answers.", "values not mixed",
            scoring.hermit, symptoms.goods_to_answers, NO_MASK),
    Patient(9, "the contrary one", "It sells what is sold out, and nothing else.", "mask inverted",
            hiding.contrary, partial(symptoms.weights_on_the_goods, mask=hides(0, 2))),
    Patient(10, "the self-absorbed one", "It reads words, and none of them hears of another.",
            "roles attend to each other", splitting.self_absorbed, symptoms.words_to_answers,
            {**SOURCE, "size": 6, "projects": True}, projected),
    Patient(11, "the loud one", "Its answers are larger than anything in the shop.", "scores kept",
            scoring.loud, symptoms.weights_on_the_goods, NO_MASK),
    Patient(12, "the fainting one", "The loss was fine for hours, and is nan since.", "nothing left to see",
            hiding.fainting, symptoms.nothing_left),
    Patient(13, "the lukewarm one", "The more heads it has, the less it can decide.", "root of the whole size",
            splitting.lukewarm, symptoms_more.spread_against_heads, {**HEADS, "reference": in_heads},
            partial(splitting.lukewarm, heads=2)),
    Patient(14, "the allergic one", "It runs on every machine, until somebody halves the numbers.", "fill too large",
            hiding.allergic, symptoms_more.in_three_types),
    Patient(15, "the tired one", "The first answer is right. Asked again, it is less sure.", "arguments changed",
            scoring.tired, symptoms_more.three_calls),
    Patient(16, "the two-faced one", "Its map and its deeds do not agree.", "map of other weights",
            hiding.two_faced, symptoms_more.map_against_answers),
    Patient(17, "the particular one", "It refuses work that it could do, and accepts work that it cannot.",
            "wrong rule for heads", splitting.particular, symptoms_more.sizes_and_heads, HEADS,
            partial(splitting.particular, heads=4)),
    Patient(18, "the mixed-up one", "A batch of one is fine. In a batch of two, baskets are exchanged.",
            "masks in the wrong order", splitting.mixed_up, symptoms_more.padding_of_two_baskets,
            {"layout": "batch heads length size", "heads": 2, "mask_shape": "batch key"}),
    Patient(19, "the shortsighted one", "It reads a text well, and writes on as if it had read one word.",
            "causal from the top left", hiding.shortsighted, symptoms_more.at_once_and_word_by_word,
            {"mask": None, "causal": True, "returns": "context"}),
    Patient(20, "the moody one", "The same question never gets the same answer.", "dropout left on",
            scoring.moody, symptoms_more.five_calls_in_evaluation, NO_MASK, Dropping(scoring.moody)),
]  # fmt: skip


def patient(which: str | int) -> Patient:
    """The patient with a number (3, or "14.3") or a name. Raises ValueError for one that is not there."""
    asked = str(which).removeprefix("14.")
    for one in PATIENTS:
        if asked in (str(one.number), one.name):
            return one
    raise ValueError(f"which: got {which!r}, expected 1 to {len(PATIENTS)}, an exercise such as '14.3', or a name")
