"""Everything that decides the result of a run, and the recipe of each task: the one table to turn the knobs in."""

import math
from dataclasses import asdict, dataclass, fields
from typing import get_args, get_type_hints

from course_utils.models.encoder import CELLS

TASKS = ("dates", "g2p", "translation")
ATTENTIONS = ("none", "additive", "dot", "scaled-dot", "general", "concat", "local-m", "local-p")
PRECISIONS = ("auto", "float32", "bfloat16")

COMMON = {
    "attention": "additive",
    "cell": "gru",
    "size": 256,
    "embedding": 64,
    "hidden": None,  # of additive attention; None: as the states
    "dropout": 0.1,
    "tied": False,  # logits from the table of the target's embeddings
    "batch_tokens": 1000,  # source tokens in a batch, of all processes together
    "rate": 3e-3,  # the highest learning rate
    "warmup": 0.05,  # share of the budget in which the learning rate rises; then it falls as a cosine
    "clip": 1.0,
    "weight_decay": 0.01,
    "smoothing": 0.0,  # of the labels
    "precision": "auto",
    "seed": 0,
    "at_least": 1,  # how often a token must occur to get a number of its own
    "reach": 3,  # of local attention: tokens on each side of the centre
    "beams": 5,
    "length_penalty": 0.6,
    "subset": None,  # train on so many pairs only
    "path": None,  # the user's own data
}
RECIPES = {
    "dates": {
        "minutes": 0.333,
        "attention": "scaled-dot",
        "size": 64,
        "dropout": 0.0,
        "rate": 4e-3,
        "precision": "float32",
    },
    "g2p": {"minutes": 10.0, "hidden": 128, "smoothing": 0.1},
    "translation": {
        "minutes": 5.0,
        "embedding": 128,
        "hidden": 128,
        "dropout": 0.0,  # five minutes are two epochs: too short to learn anything by heart
        "tied": True,
        "batch_tokens": 400,
        "smoothing": 0.1,
        "at_least": 2,
        "length_penalty": 2.0,  # the best of 0.6, 1, 1.5 and 2 on sentences of 16 and 17 tokens, kept out of all parts
    },
}


@dataclass(frozen=True)
class Settings:
    """All that decides the result of a run, but for the machine.

    Exactly one of minutes, steps and epochs is a number: the budget. Raises ValueError for a value out of range.
    """

    task: str
    minutes: float | None
    steps: int | None
    epochs: int | None
    attention: str
    cell: str
    size: int
    embedding: int
    hidden: int | None
    dropout: float
    tied: bool
    batch_tokens: int
    rate: float
    warmup: float
    clip: float
    weight_decay: float
    smoothing: float
    precision: str
    seed: int
    at_least: int
    reach: int
    beams: int
    length_penalty: float
    subset: int | None
    path: str | None

    def __post_init__(self) -> None:
        for name, allowed in (("task", TASKS), ("attention", ATTENTIONS), ("cell", CELLS), ("precision", PRECISIONS)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name}: got {getattr(self, name)!r}, expected one of {', '.join(allowed)}")
        given = [name for name in ("minutes", "steps", "epochs") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"budget: got {' and '.join(given) or 'none'}, expected one of minutes, steps and epochs")
        if not isinstance(self.tied, bool):
            raise ValueError(f"tied: got {self.tied!r}, expected True or False")
        for name in _WHOLE:
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
                raise ValueError(f"{name}: got {value!r}, expected a whole number of at least 1")
        if self.size % 2:
            raise ValueError(f"size: got {self.size}, expected an even number, for the encoder reads in two directions")
        if not isinstance(self.seed, int) or not 0 <= self.seed < 2**31:
            raise ValueError(f"seed: got {self.seed!r}, expected a whole number from 0 to 2³¹ − 1")
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int | float) and low <= value <= high):
                raise ValueError(f"{name}: got {value!r}, expected a number from {low} to {high}")


_WHOLE = ("steps", "epochs", "size", "embedding", "hidden", "batch_tokens", "at_least", "reach", "beams", "subset")
_SMALLEST = 1e-9
_RANGES = (
    ("minutes", _SMALLEST, 1e6),
    ("rate", _SMALLEST, 10.0),
    ("clip", _SMALLEST, math.inf),
    ("warmup", 0.0, 1.0),
    ("dropout", 0.0, 0.99),
    ("weight_decay", 0.0, 1.0),
    ("smoothing", 0.0, 0.99),
    ("length_penalty", 0.0, 10.0),
)


def recipe(task: str, **changes: object) -> Settings:
    """Gives the settings of a task: the common ones, the task's own, and the given changes, in this order.

    A budget among the changes replaces the task's minutes. Raises ValueError for an unknown task or setting, and for
    a value out of range.
    """
    if task not in TASKS:
        raise ValueError(f"task: got {task!r}, expected one of {', '.join(TASKS)}")
    known = {field.name for field in fields(Settings)}
    for name in changes:
        if name not in known:
            raise ValueError(f"{name}: is no setting, expected one of {', '.join(sorted(known))}")
    values = {"minutes": None, "steps": None, "epochs": None} | COMMON | RECIPES[task]
    if any(changes.get(name) is not None for name in ("minutes", "steps", "epochs")):
        values["minutes"] = None
    return Settings(**values | {"task": task} | changes)


def restored(values: dict) -> Settings:
    """Makes settings of what `asdict` gave, in a file perhaps; raises ValueError when another version wrote it."""
    unlike = {field.name for field in fields(Settings)} ^ set(values)
    if unlike:
        raise ValueError(f"{min(unlike)}: another version of the course began this run; begin again with --force")
    return Settings(**values)


def kinds() -> dict[str, type]:
    """The plain type of every setting, for a command line: str, int or float."""
    hints = get_type_hints(Settings)
    return {
        name: next((part for part in get_args(hint) if part is not type(None)), hint) for name, hint in hints.items()
    }


def difference(one: Settings, other: Settings) -> str | None:
    """Names the first setting in which two differ, or None."""
    theirs = asdict(other)
    return next((name for name, value in asdict(one).items() if value != theirs[name]), None)
