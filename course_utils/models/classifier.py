"""A text classifier in five steps: embed, extract features, weigh, join, predict. Each step can be exchanged."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from course_utils.attention.guards import require_positive
from course_utils.attention.modules import SelfAttention
from course_utils.attention.pooling import AttentionPooling, max_pooling, mean_pooling
from course_utils.data.features import UNKNOWN
from course_utils.data.text import PAD

READERS = ("plain", "gru", "convolution", "self-attention")
POOLINGS = ("mean", "max", "last", "attention")
LONGEST = 64  # positions that self-attention learns; longer texts share the last
HIDDEN = 128  # of the GRU, half in each direction


class Embed(nn.Module):
    """Adds the vectors of a word's features; in training a feature is hidden at times, as if it were unknown.

    Shapes: numbers (batch, word, feature) → (batch, word, size); padding gives 0.
    """

    def __init__(self, sizes: list[int], size: int, hide: float = 0.1) -> None:
        super().__init__()
        self.tables = nn.ModuleList(_table(number, size) for number in sizes)
        self.hide = hide

    def forward(self, numbers: Tensor) -> Tensor:
        if self.training and self.hide:
            drawn = torch.rand(numbers.shape).to(numbers.device) < self.hide
            numbers = numbers.masked_fill(drawn & (numbers != PAD), UNKNOWN)
        return torch.stack([table(numbers[..., place]) for place, table in enumerate(self.tables)]).sum(0)


def _table(number: int, size: int) -> nn.Embedding:
    """An embedding with small vectors, so that four of them together are no louder than one, and 0 for padding."""
    table = nn.Embedding(number, size, padding_idx=PAD)
    with torch.no_grad():
        table.weight.normal_(std=0.1)[PAD] = 0
    return table


class Recurrent(nn.Module):
    """Reads in both directions with a GRU. Shapes: x (batch, word, size), mask (batch, word) → (batch, word, width)."""

    def __init__(self, size: int, width: int = HIDDEN) -> None:
        super().__init__()
        self.read, self.width = nn.GRU(size, width // 2, batch_first=True, bidirectional=True), width

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        packed = pack_padded_sequence(x, mask.sum(1).cpu(), batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.read(packed)[0], batch_first=True, total_length=x.shape[1])
        return states


class Convolution(nn.Module):
    """Looks at one, two and three neighbouring words, `filters` patterns for each (Kim 2014).

    Shapes: x (batch, word, size), mask (batch, word) → (batch, word, width), where width is 3 · filters.
    """

    def __init__(self, size: int, filters: int = 64) -> None:
        super().__init__()
        self.windows = nn.ModuleList(nn.Conv1d(size, filters, words, padding=words // 2) for words in (1, 2, 3))
        self.width = 3 * filters

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = x.masked_fill(~mask.unsqueeze(-1), 0.0).transpose(1, 2)
        found = [F.relu(window(x)[..., : x.shape[2]]) for window in self.windows]  # two words: one place too many
        return torch.cat(found, 1).transpose(1, 2)


class Attending(nn.Module):
    """Adds learned positions, lets every word ask every other, and adds what it was told: one head, one norm.

    Shapes: x (batch, word, size), mask (batch, word) → (batch, word, size).
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.position = nn.Embedding(LONGEST, size)
        nn.init.normal_(self.position.weight, std=0.1)
        self.attention, self.project, self.norm = SelfAttention(size), nn.Linear(size, size), nn.LayerNorm(size)
        self.width = size

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        positions = torch.arange(x.shape[1], device=x.device).clamp(max=LONGEST - 1)
        x = x + self.position(positions)
        context, _ = self.attention(x, mask.unsqueeze(1))
        return self.norm(x + self.project(context))


class Plain(nn.Module):
    """Leaves the words as they are. Shapes: x (batch, word, size), mask (batch, word) → (batch, word, size)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.width = size

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return x


class Classifier(nn.Module):
    """Embeds, extracts features with a reader, weighs and joins them to one vector, and predicts a class.

    Shapes: numbers (batch, word, feature), padded with 0 → logits (batch, class), weights (batch, word) or None.
    `sizes` are those of `WordFeatures`. `reader` is one of READERS, `pooling` one of POOLINGS; "last" takes the states
    at both ends of a GRU, "attention" alone gives weights. Raises ValueError for any other word, for "last" without a
    GRU, for sizes below 1, and for a dropout outside 0 … 1.
    """

    def __init__(
        self, sizes: list[int], classes: int, reader: str = "self-attention", pooling: str = "attention",
        size: int = 64, dropout: float = 0.5, hide: float = 0.1,
    ) -> None:  # fmt: skip
        require_positive(classes=classes, size=size)
        _require_choices(reader, pooling, dropout)
        super().__init__()
        self.pooling = pooling
        self.embed, self.dropout = Embed(sizes, size, hide), nn.Dropout(dropout)
        made = {"plain": Plain, "gru": Recurrent, "convolution": Convolution, "self-attention": Attending}[reader]
        self.read: nn.Module = made(size)
        width: int = self.read.width  # type: ignore[assignment]
        self.pool = AttentionPooling(width) if pooling == "attention" else None
        self.predict = nn.Linear(width, classes)

    def forward(self, numbers: Tensor) -> tuple[Tensor, Tensor | None]:
        mask = numbers[..., 0] != PAD  # (batch, word), True = a real word
        features = self.read(self.dropout(self.embed(numbers)), mask)
        if not isinstance(self.read, Plain):
            features = self.dropout(features)
        joined, weights = self.join(features, mask)
        return self.predict(joined), weights

    def join(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor | None]:
        """Makes one vector of each text. Shapes: features (batch, word, width), mask (batch, word) → (batch, width)."""
        if self.pool is not None:
            return self.pool(features, mask)
        if self.pooling == "mean":
            return mean_pooling(features, mask), None
        if self.pooling == "max":
            return max_pooling(features, mask), None
        half = features.shape[-1] // 2
        ends = features[torch.arange(len(features)), mask.sum(1) - 1, :half]  # forwards: the last real word
        return torch.cat([ends, features[:, 0, half:]], -1), None  # backwards: the first


def _require_choices(reader: str, pooling: str, dropout: float) -> None:
    if reader not in READERS:
        raise ValueError(f"reader: got {reader!r}, expected one of {', '.join(READERS)}")
    if pooling not in POOLINGS:
        raise ValueError(f"pooling: got {pooling!r}, expected one of {', '.join(POOLINGS)}")
    if pooling == "last" and reader != "gru":
        raise ValueError(f"pooling: got 'last' with the reader {reader!r}, expected the reader 'gru', which has an end")
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout: got {dropout!r}, expected a share from 0 to below 1")
