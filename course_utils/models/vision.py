"""Pictures as tokens: patches, a small Vision Transformer, a convolution to hold it against, and what it looked at."""

import torch
from torch import Tensor, nn

from course_utils.attention.guards import require_divisor, require_positive
from course_utils.models.blocks import EncoderBlock, EncoderStack

POOLINGS = ("query", "mean")
MEAN, SPREAD = 0.3, 0.4  # about those of the digits' pixels: what comes in is near 0, and of size 1


def patches(picture: Tensor, size: int) -> Tensor:
    """Cuts a picture into squares, one after the other as one reads, each as a row of numbers.

    Shapes: picture (…, row, column) → (…, patch, size · size). Raises ValueError for a size that does not divide both.
    """
    rows, columns = picture.shape[-2:]
    for side in (rows, columns):
        if not isinstance(size, int) or size < 1 or side % size:
            raise ValueError(f"size: got {size!r}, expected a whole number that divides {rows} and {columns}")
    cut = picture.unflatten(-2, (-1, size)).unflatten(-1, (-1, size))  # (…, patch row, row, patch column, column)
    return cut.transpose(-3, -2).flatten(-2).flatten(-3, -2)


class VisionTransformer(nn.Module):
    """Sorts pictures: patches become tokens, a place is added to each, blocks mix them, and one vector is read off.

    Shapes: pictures (batch, side, side) → logits (batch, class). `maps`, a list, gets the weights of each block
    (batch, heads, token, token). With "query" a learned token stands in front and is read at the end, with "mean" all
    tokens are.
    Raises ValueError for a patch that does not divide the side, and an unknown pooling.
    Source: Dosovitskiy et al. 2021, An Image is Worth 16x16 Words, with pre-norm blocks.
    """

    def __init__(
        self, side: int = 8, patch: int = 2, classes: int = 10, size: int = 64, layers: int = 2, heads: int = 4,
        dropout: float = 0.1, pooling: str = "query", places: bool = True,
    ) -> None:  # fmt: skip
        require_positive(side=side, classes=classes, layers=layers)
        require_divisor(side, patch)
        if pooling not in POOLINGS:
            raise ValueError(f"pooling: got {pooling!r}, expected one of {', '.join(POOLINGS)}")
        super().__init__()
        self.patch, self.pooling, count = patch, pooling, (side // patch) ** 2
        self.embed = nn.Linear(patch * patch, size)
        self.query = nn.Parameter(torch.randn(1, 1, size) * 0.02)
        self.place = nn.Parameter(torch.randn(1, count + 1, size) * 0.5) if places else None
        blocks = [EncoderBlock(size, heads, 2 * size, dropout, norm="pre", activation="gelu") for _ in range(layers)]
        self.blocks, self.predict = EncoderStack(blocks, size), nn.Linear(size, classes)

    def forward(self, pictures: Tensor, maps: list[Tensor] | None = None) -> Tensor:
        tokens = self.embed(patches((pictures - MEAN) / SPREAD, self.patch))
        tokens = torch.cat([self.query.expand(len(tokens), -1, -1), tokens], 1)  # (batch, 1 + patch, size)
        if self.place is not None:
            tokens = tokens + self.place
        states = self.blocks(tokens, None, maps)
        return self.predict(states[:, 0] if self.pooling == "query" else states[:, 1:].mean(1))


class SmallConvolution(nn.Module):
    """Sorts pictures by looking at neighbours first: two layers of 3 × 3 windows, a pooling, and a linear layer.

    Shapes: pictures (batch, side, side) → logits (batch, class). Raises ValueError for an odd side.
    """

    def __init__(self, side: int = 8, classes: int = 10, filters: int = 32, dropout: float = 0.3) -> None:
        require_positive(classes=classes, filters=filters)
        require_divisor(side, 2)
        super().__init__()
        self.read = nn.Sequential(
            nn.Conv2d(1, filters, 3, padding=1), nn.ReLU(), nn.Conv2d(filters, 2 * filters, 3, padding=1), nn.ReLU(),
            nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(dropout),
        )  # fmt: skip
        self.predict = nn.Linear(2 * filters * (side // 2) ** 2, classes)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.predict(self.read(pictures.unsqueeze(1)))


def rollout(maps: list[Tensor]) -> Tensor:
    """How much of each input token reaches each output, by the weights alone: half goes around a block, half through.

    Shapes: maps (layer) of weights (batch, heads, token, token) → (batch, token, token), each row sums to 1.
    Heads are averaged, and what values, norms and feed-forward layers do is left out: it follows weights, not effects.
    Raises ValueError for no map. Source: Abnar and Zuidema 2020, Quantifying Attention Flow in Transformers.
    """
    if not maps:
        raise ValueError("maps: got none, expected the weights of at least one layer")
    through = torch.eye(maps[0].shape[-1], device=maps[0].device)
    for weights in maps:
        through = 0.5 * (weights.mean(1) + torch.eye(weights.shape[-1], device=weights.device)) @ through
    return through
