"""Everything that decides the result of a run, each spelled once, and the recipe of each task: what differs."""

from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

from course_utils.models.blocks import NORMS
from course_utils.models.encoder import CELLS
from course_utils.models.places import POSITIONS
from course_utils.train.options import option, require_options

MODELS = ("recurrent", "transformer")
# What a task wants otherwise than the defaults in `Settings`.
RECIPES: dict[str, dict[str, Any]] = {
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
    "lm": {
        "minutes": 4.0,
        "model": "transformer",
        "size": 128,
        "layers": 3,
        "dropout": 0.0,
        "tied": True,
        "batch_tokens": 1500,
        "at_least": 20,
    },
}
# What a Transformer wants otherwise than the recipe of its task.
TRANSFORMERS: dict[str, dict[str, Any]] = {
    "dates": {"rate": 2e-3, "hidden": 256},
    "g2p": {"size": 128, "hidden": 512},
    "translation": {"size": 128, "hidden": 512, "batch_tokens": 500, "rate": 5e-3},
}
TASKS = tuple(RECIPES)
ATTENTIONS = ("none", "additive", "dot", "scaled-dot", "general", "concat", "local-m", "local-p")


@dataclass(frozen=True)
class Settings:
    """All that decides the result of a run, but for the machine.

    Exactly one of minutes, steps and epochs is a number: the budget. Raises ValueError for a value out of range.
    """

    task: str = option(
        MISSING, "dates, spelling to sound, French to English, or a language model of English letters", choices=TASKS
    )
    model: str = option("recurrent", "recurrent encoder and decoder, or blocks of attention", choices=MODELS)
    minutes: float | None = option(
        None, "train so long; loading data and measuring do not count", above=0, most=10**6, budget=True
    )
    clock: str = option(
        "wall", "what counts as time: the clock on the wall, or the processor's own work", choices=("wall", "cpu")
    )
    steps: int | None = option(None, "train so many batches instead", least=1, budget=True)
    epochs: int | None = option(None, "go through the data so many times instead", least=1, budget=True)
    attention: str = option("additive", "what a recurrent decoder looks back with", choices=ATTENTIONS)
    cell: str = option("gru", "the cell of encoder and decoder", choices=tuple(CELLS))
    size: int = option(256, "size of the states, half of it for each direction of the encoder", least=2, even=True)
    embedding: int = option(64, "size of the embedded tokens", least=1)
    hidden: int | None = option(
        None,
        "hidden features: of additive attention, else as many as the states; of a block, else four times as many",
        least=1,
    )
    positions: str = option("sine", "how a Transformer tells where a token stands", choices=POSITIONS)
    norm: str = option("pre", "where a block's norms stand: after the sum, or before the layer", choices=NORMS)
    heads: int = option(4, "heads of each attention in a Transformer", least=1)
    layers: int = option(2, "blocks of a Transformer's encoder, and of its decoder", least=1)
    decoder_layers: int | None = option(None, "blocks of the decoder, where it has another number", least=1)
    dropout: float = option(0.1, "share of the features that is dropped in training", least=0, most=0.99)
    tied: bool = option(False, "take the logits from the target embedding's own table")
    batch_tokens: int = option(1000, "source tokens in a batch, of all processes together", least=1)
    rate: float = option(3e-3, "highest learning rate", above=0, most=10)
    warmup: float = option(0.05, "share of the budget in which the learning rate rises", least=0, most=1)
    clip: float = option(1.0, "greatest norm of the gradient", above=0)
    weight_decay: float = option(0.01, "weight decay of AdamW", least=0, most=1)
    smoothing: float = option(0.0, "share of the label that is spread over all tokens", least=0, most=0.99)
    precision: str = option(
        "auto",
        "bfloat16 where the processor has it (auto), or always one of them",
        choices=("auto", "float32", "bfloat16"),
    )
    seed: int = option(0, "of the first weights, the order of the data and dropout", least=0, most=2**31 - 1)
    at_least: int = option(1, "how often a token must occur to get a number of its own", least=1)
    reach: int = option(3, "tokens that local attention sees on each side of its centre", least=1)
    beams: int = option(5, "beams of the search that measures", least=1)
    length_penalty: float = option(0.6, "exponent of the length by which the beam search divides", least=0, most=10)
    subset: int | None = option(
        None, "train on so many pairs only: the first, in an order that is random and fixed", least=1
    )
    path: str | None = option(None, "a file of your own data")

    def __post_init__(self) -> None:
        require_options(self)
        given = [name for name in BUDGETS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"budget: got {' and '.join(given) or 'none'}, expected one of {', '.join(BUDGETS)}")
        if self.task == "lm" and self.model != "transformer":
            raise ValueError(f"model: got {self.model!r} for lm, expected 'transformer'")

    @property
    def contestant(self) -> str:
        """A short name for what is trained: the attention of a recurrent model, or transformer."""
        return self.attention if self.model == "recurrent" else self.model


BUDGETS = tuple(one.name for one in fields(Settings) if one.metadata["budget"])


def recipe(task: str, **changes: object) -> Settings:
    """Gives the settings of a task: the defaults, what its recipe changes, and the given changes, in this order.

    A Transformer has changes of its own between the two. A budget among the changes takes the place of the recipe's.
    Raises ValueError for an unknown task or setting, and for a value out of range.
    """
    wanted = RECIPES[task] if task in TASKS else {}
    if changes.get("model", wanted.get("model")) == "transformer" and task in TRANSFORMERS:
        wanted = wanted | TRANSFORMERS[task]
    return _changed({"task": task} | wanted, changes)


def changed(settings: Settings, **changes: object) -> Settings:
    """Gives the same settings but for the changes; a budget among them takes the place of the one before."""
    return _changed(asdict(settings), changes)


def _changed(values: dict[str, Any], changes: dict[str, Any]) -> Settings:
    names = [one.name for one in fields(Settings)]
    for name in changes:
        if name not in names:
            raise ValueError(f"settings: got {name!r}, expected names from {', '.join(sorted(names))}")
    if any(changes.get(name) is not None for name in BUDGETS):
        values = values | dict.fromkeys(BUDGETS)
    return Settings(**values | changes)


def restored(values: dict[str, Any]) -> Settings:
    """Makes settings of what `asdict` gave, in a file perhaps; raises ValueError when another version wrote it."""
    unlike = {one.name for one in fields(Settings)} ^ set(values)
    if unlike:
        raise ValueError(
            f"{min(unlike)}: got a run that another version of the course began, expected one of this version; "
            "begin again with --force"
        )
    return Settings(**values)


def difference(one: Settings, other: Settings) -> str | None:
    """Names the first setting in which two differ, or None."""
    theirs = asdict(other)
    return next((name for name, value in asdict(one).items() if value != theirs[name]), None)
