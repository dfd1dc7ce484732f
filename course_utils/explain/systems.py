"""What a system of the lab can be asked once it is trained; and the first: questions, where no truth is known."""

from abc import ABC, abstractmethod
from functools import cache

import torch
from torch import Tensor, nn

from course_utils.data.features import WordFeatures
from course_utils.data.questions import KINDS, load_questions
from course_utils.data.text import PAD
from course_utils.explain.inputs import Slopes, leave_one_out, slopes
from course_utils.explain.opened import (
    Opened,
    open_classifier,
)
from course_utils.models.classifier import Classifier
from course_utils.train.epochs import fit_epochs

SETTINGS = {"plain": (0.005, 0.5, 64), "convolution": (0.005, 0.3, 64), "gru": (0.02, 0.5, 128)}  # as in lesson 10
LEAST = 5  # words of a question, clicks of a visit: with fewer there is little to rank


class System(ABC):
    """A trained model, what it is asked, and the three explanations of each of its answers.

    A row is a question, a digit of a date, or a visit. `truth` (row, key) says what counts, where that is known, and
    `wanted` (row) the right answer.
    """

    model: nn.Module
    wanted: Tensor
    truth: Tensor | None = None

    @abstractmethod
    def open(self) -> Opened:
        """The attention cut open, a row for each answer."""

    @abstractmethod
    def left_out(self) -> Tensor:
        """How far each answer moves without each input. Shapes: → (row, key)."""

    @abstractmethod
    def slopes(self) -> Slopes:
        """How steeply each answer rises with each input. Shapes: → (row, key), twice."""

    @abstractmethod
    def run(self, model: nn.Module, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Runs a model on training examples: logarithms of chances (…, class), weights (…, key)."""

    def right(self, chances: Tensor) -> float:
        """How good answers are, in %. Shapes: logarithms of chances (row, class) → a number."""
        return 100 * (chances.argmax(-1) == self.wanted).float().mean().item()


@cache
def _questions() -> tuple:
    train, dev, _ = load_questions()
    features, asked = WordFeatures([question.words for question in train]), [q for q in dev if len(q.words) >= LEAST]
    numbers = [features.encode([question.words for question in some]) for some in (train, asked)]
    kinds = [torch.tensor([question.kind for question in some]) for some in (train, asked)]
    return features, asked, numbers, kinds


class Questions(System):
    """The classifier of lesson 10 on questions of dev with at least five words. No truth is known here."""

    def __init__(
        self, reader: str = "plain", seed: int = 0, device: torch.device | str = "cpu", pooling: str = "attention",
        epochs: int = 10,
    ) -> None:  # fmt: skip
        features, self.asked, numbers, kinds = _questions()
        self.reader = reader
        rate, dropout, size = SETTINGS[reader]
        (self.learn, self.numbers), (self.kinds, self.wanted) = (
            [t.to(device) for t in two] for two in (numbers, kinds)
        )
        self.sizes = features.sizes

        torch.manual_seed(seed)
        self.model: Classifier = self.fresh(reader, pooling, size, dropout).to(device)
        fit_epochs(self.model, self.learn, self.kinds, epochs, rate, seed=seed)

    def fresh(self, reader: str, pooling: str, size: int, dropout: float) -> Classifier:
        """A classifier for the same questions that has learned nothing yet."""
        return Classifier(self.sizes, len(KINDS), reader, pooling, size, dropout)

    def open(self) -> Opened:
        """A row for each question."""
        return open_classifier(self.model, self.numbers)

    def left_out(self) -> Tensor:
        """How far the answer moves without each word. Shapes: → (question, word)."""
        mask = self.numbers[..., 0] != PAD
        return leave_one_out(lambda mask, numbers: self.model(numbers)[0].log_softmax(-1), mask, self.numbers)

    def slopes(self) -> Slopes:
        """How steeply it rises with each word's vector. Shapes: → (question, word), twice."""
        return slopes(self.model, self.model.embed, lambda: self.model(self.numbers)[0].log_softmax(-1))

    def run(self, model: nn.Module, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Some of the questions to learn from. Shapes: → (question, kind), (question, word)."""
        numbers = self.learn[rows]
        logits, weights = model(numbers[:, (numbers[..., 0] != PAD).any(0)])  # what is padding everywhere is left out
        return logits.log_softmax(-1), weights
