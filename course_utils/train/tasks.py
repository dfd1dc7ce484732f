"""What there is to learn: the data of each task, its vocabularies, its questions for the test, and the model."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor, nn

from course_utils.attention import dot, scaled_dot
from course_utils.attention.scores import Additive, Bilinear
from course_utils.data.text import Pair, Vocabulary
from course_utils.models.language import LanguageModel, next_token_loss
from course_utils.models.seq2seq import Global, Seq2Seq, token_loss
from course_utils.models.transformer import Transformer
from course_utils.train.settings import ATTENTIONS, Settings

Model = Seq2Seq | Transformer | LanguageModel


class Question(NamedTuple):
    """One source of a test, all its right answers, and its length as the report counts it."""

    source: str | tuple[str, ...]
    references: tuple
    length: int


@dataclass(frozen=True)
class Task:
    """The data of a task, ready for training and for the test.

    `tests` holds questions under a name; `groups` are the ranges of length by which errors are reported; `shown` are
    sources whose alignments go into the report.
    """

    name: str
    train: list[Pair]
    dev: list[Pair]
    tests: dict[str, list[Question]]
    groups: list[tuple[int, int]]
    shown: list
    sources: Vocabulary
    targets: Vocabulary


def load_task(settings: Settings) -> Task:
    """Loads the data that the settings name and makes the vocabularies, from the training pairs only."""
    train, dev, tests, groups, shown = _LOADERS[settings.task](settings.path)
    train = train[: settings.subset]
    sources = Vocabulary([pair[0] for pair in train], at_least=settings.at_least)
    targets = Vocabulary([pair[1] for pair in train], at_least=settings.at_least)
    return Task(settings.task, train, dev, tests, groups, shown, sources, targets)


def make_model(settings: Settings, task: Task) -> Model:
    """Makes the model of a run, untrained."""
    if settings.task == "lm":
        return LanguageModel(len(task.targets), layers=settings.layers, **_of_blocks(settings))
    if settings.model == "transformer":
        return Transformer(
            len(task.sources),
            len(task.targets),
            layers=settings.layers,
            decoder_layers=settings.decoder_layers,
            **_of_blocks(settings),
        )
    return Seq2Seq(
        len(task.sources),
        len(task.targets),
        settings.size,
        attention=make_attention(settings.attention, settings.size, hidden=settings.hidden, reach=settings.reach),
        cell=settings.cell,
        embedding=settings.embedding,
        dropout=settings.dropout,
        tied=settings.tied,
    )


def _of_blocks(settings: Settings) -> dict[str, Any]:
    """The options of a model of blocks."""
    same = ("size", "heads", "dropout", "positions", "norm", "tied")
    return {name: getattr(settings, name) for name in same} | {"hidden": settings.hidden or 4 * settings.size}


def loss_of(settings: Settings) -> Callable[..., tuple[Tensor, int]]:
    """The summed loss of a task's model: loss(model, batch, smoothing) → a sum (), how many tokens."""
    return next_token_loss if settings.task == "lm" else token_loss


def make_attention(
    name: str, size: int, key_size: int | None = None, *, hidden: int | None = None, reach: int = 3
) -> nn.Module | None:
    """Makes the attention of a name, for `Seq2Seq(…, attention=…)`; "none" gives None.

    The query has `size`, the keys too unless `key_size` says otherwise, and the hidden features of additive attention
    too unless `hidden` does. "additive" (Bahdanau et al. 2015) and "concat"
    (Luong et al. 2015) are two names of one score: a matrix on the query plus a matrix on the key is one matrix on
    both joined. Local attention scores as "general" does, as in Luong et al. Raises ValueError for an unknown name.
    """
    if name not in ATTENTIONS:
        raise ValueError(f"attention: got {name!r}, expected one of {', '.join(ATTENTIONS)}")
    keys = size if key_size is None else key_size
    if name == "none":
        return None
    if name in ("local-m", "local-p"):
        from course_utils.attention.local import LocalM, LocalP

        score = Bilinear(size, keys)
        return LocalM(score, reach) if name == "local-m" else LocalP(score, size, reach)
    if name in ("additive", "concat"):
        return Global(Additive(size, keys, hidden or size))
    return Global({"dot": dot, "scaled-dot": scaled_dot, "general": None}[name] or Bilinear(size, keys))


DATES = 40_000  # made, of which a tenth of the days is held out
SHOWN = {
    "g2p": ["knight", "psychology", "thorough"],
    "translation": [
        "c' est une maison blanche .",
        "j' ai acheté une voiture rouge .",
        "il ne parle pas anglais .",
    ],
    "lm": ["i don't", "she was", "where"],  # beginnings, to be written on
}


def _dates(path: str | None) -> tuple:
    from course_utils.data.dates import ALL_LANGUAGES, make_dates, split_dates

    if path is not None:
        raise ValueError(f"path: got {path!r}, expected none, for dates are made and not read")
    train, held_out = split_dates(make_dates(DATES, ALL_LANGUAGES))
    test = [Question(pair.source, (pair.target,), len(pair.source)) for pair in held_out[500:]]
    groups = [(1, 10), (11, 13), (14, 16), (17, 19), (20, 22), (23, 26), (27, 99)]
    shown = [question.source for question in test[:3]]
    return (
        [Pair(*pair[:2]) for pair in train],
        [Pair(*pair[:2]) for pair in held_out[:500]],
        {"test": test},
        groups,
        shown,
    )


def _pronunciations(path: str | None) -> tuple:
    from course_utils.data.pronunciations import load_pronunciations, pairs

    splits = load_pronunciations(path)
    test = [Question(word.spelling, word.sounds, word.letters) for word in splits.test]
    groups = [(2, 3), *((letters, letters) for letters in range(4, 14)), (14, 99)]
    return pairs(splits.train), pairs(splits.dev, first_only=True), {"test": test}, groups, SHOWN["g2p"]


def _translation(path: str | None) -> tuple:
    from course_utils.data.translation import load_translation

    splits = load_translation(path)
    tests = {
        name: [Question(sentence.source, sentence.targets, len(sentence.source)) for sentence in sentences]
        for name, sentences in (("test", splits.test), ("18 to 20 tokens", splits.long))
    }
    groups = [(1, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 15), (16, 99)]
    return splits.train, splits.dev, tests, groups, [tuple(text.split()) for text in SHOWN["translation"]]


def _language(path: str | None) -> tuple:
    """English sentences, each a pair of itself and itself: what is read is what is to be written, one place later."""
    from course_utils.data.translation import detokenize, load_translation

    splits = load_translation(path)
    train, dev = (_texts(detokenize(tuple(pair.target)) for pair in part) for part in (splits.train, splits.dev))
    test = _texts(detokenize(target) for sentence in splits.test for target in sentence.targets)
    questions = [Question(text, (text,), len(text)) for text in test if text not in set(dev)]
    groups = [(1, 15), (16, 20), (21, 25), (26, 30), (31, 40), (41, 50), (51, 999)]
    pairs = ([Pair(text, text) for text in part] for part in (train, dev))
    return *pairs, {"test": questions}, groups, SHOWN["lm"]


def _texts(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


_LOADERS = {"dates": _dates, "g2p": _pronunciations, "translation": _translation, "lm": _language}
