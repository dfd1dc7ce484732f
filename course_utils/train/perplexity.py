"""How well a language model guesses the next character, beside counts of pairs and triples; and what it writes."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import chain

import torch
from torch import Tensor

from course_utils.data.text import END, START, pad
from course_utils.models.language import LanguageModel, generate
from course_utils.train.tasks import Task

ROWS = 64  # texts at a time
WEIGHTS = (0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9)  # tried for the shorter context of a count


class Counts:
    """Guesses the next token from the ones right before it, by how often it followed them: an n-gram model.

    Shapes: texts are lists of numbers; `before` is how many tokens it looks back at: 1 for pairs, 2 for triples.
    What was never seen gets a share from the count with one token less, down to an equal share for all; how large a
    share, held-out texts decide. Source: Jelinek and Mercer 1980 (interpolation).
    """

    def __init__(self, texts: Sequence[list[int]], held_out: Sequence[list[int]], size: int, before: int) -> None:
        self.before, self.size = before, size
        self.shorter = Counts(texts, held_out, size, before - 1) if before else None
        self.follows: Counter = Counter(chain.from_iterable(map(self._contexts, texts)))
        self.seen: Counter = Counter()
        for (context, _), times in self.follows.items():
            self.seen[context] += times
        self.share = 0.0
        found = {}
        for share in WEIGHTS:
            self.share = share
            found[share] = sum(map(self.loss, held_out))
        self.share = min(found, key=found.__getitem__)

    def probability(self, context: tuple[int, ...], token: int) -> float:
        """The probability of a token after a context of `before` tokens."""
        less = self.shorter.probability(context[1:], token) if self.shorter else 1 / self.size
        times = self.seen[context]
        if not times:
            return less
        return (1 - self.share) * self.follows[context, token] / times + self.share * less

    def loss(self, text: list[int]) -> float:
        """The summed loss of a text and its end, in nats."""
        return -sum(math.log(self.probability(*one)) for one in self._contexts(text))

    def _contexts(self, text: list[int]) -> list[tuple[tuple[int, ...], int]]:
        """Every token of a text, and its end, with the tokens before it."""
        whole = [START] * self.before + text + [END]
        return [(tuple(whole[place - self.before : place]), whole[place]) for place in range(self.before, len(whole))]


@torch.no_grad()
def losses(model: LanguageModel, texts: Sequence[list[int]], device: torch.device) -> Tensor:
    """The summed loss of each text and its end, in nats, in float32. Shapes: n texts of numbers → (n)."""
    found = torch.zeros(len(texts))
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    for start in range(0, len(order), ROWS):
        places = order[start : start + ROWS]
        reads, lengths = pad([[START, *texts[place]] for place in places])
        writes, _ = pad([[*texts[place], END] for place in places])
        likely = torch.log_softmax(model(reads.to(device)).float(), -1).cpu()
        each = likely.gather(-1, writes[..., None]).squeeze(-1)
        real = torch.arange(reads.shape[1]) < lengths[:, None]
        found[places] = -(each * real).sum(1)
    return found


def perplexities(model: LanguageModel, task: Task, device: torch.device) -> tuple[dict, dict]:
    """How well a model guesses the texts of the test, beside counts that learned from the same texts.

    Gives metrics["test"][who] with perplexity and bits of a character, and rows of (from, to, how many texts,
    perplexity) by length. The end of a text counts as a character. Perplexity is e to the mean loss.
    """
    model.eval()
    train, dev = ([task.targets.encode(pair[1]) for pair in part] for part in (task.train, task.dev))
    questions = next(iter(task.tests.values()))
    texts = [task.targets.encode(question.source) for question in questions]
    number = sum(len(text) + 1 for text in texts)
    each = losses(model, texts, device)
    found = {"model": each.sum().item()}
    for name, before in (("counts of characters", 0), ("counts of pairs", 1), ("counts of triples", 2)):
        counts = Counts(train, dev, len(task.targets), before)
        found[name] = sum(map(counts.loss, texts))
    metrics = {
        who: {"perplexity": math.exp(total / number), "bits of a character": total / number / math.log(2)}
        for who, total in found.items()
    }
    rows = []
    for low, high in task.groups:
        places = [place for place, text in enumerate(texts) if low <= len(text) <= high]
        if places:
            lengths = [len(texts[place]) for place in places]
            mean = each[places].sum().item() / (sum(lengths) + len(places))
            rows.append((min(lengths), max(lengths), len(places), math.exp(mean)))
    return {"test": metrics}, {"model": rows}


@torch.no_grad()
def continued(model: LanguageModel, task: Task, device: torch.device, longest: int = 60) -> list[dict]:
    """A few beginnings that the model writes on, at temperature 0.7, with the mean weights of the last block."""
    made = []
    for number, beginning in enumerate(task.shown):
        tokens = torch.tensor([[START, *task.targets.encode(beginning)]], device=device)
        written = generate(model, tokens, longest, 0.7, generator=torch.Generator().manual_seed(number))
        text = task.targets.tokens(written[0])
        reads = written[:, : len(text) + 1]
        weights = model.look(reads)[0, -1].mean(0)[:-1, :-1]  # what each character that is read looks at
        made.append(
            {
                "source": ["^", *text[:-1]],
                "target": text,
                "seen in training": "".join(text) in {pair[0] for pair in task.train},
                "weights": [[round(value, 4) for value in row] for row in weights.tolist()],
            }
        )
    return made
