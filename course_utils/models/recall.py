"""Small readers that must remember: each reads a text through one kind of attention, and is asked about it.

Two tasks of a clerk: the price list (pairs of good and price, then goods alone), and one order in a long text.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_utils.attention.basics import attend
from course_utils.attention.guards import require_positive
from course_utils.attention.linear import chunked_attend, linear_attend
from course_utils.attention.masks import causal_mask
from course_utils.attention.windows import top_k_attend, window_attend

GOODS, PRICES, WORDS = 128, 32, 16  # how many there are of each
KINDS = ("full", "window", "window and sinks", "top-k", "linear")


def price_lists(batch: int, pairs: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draws price lists in which each good stands once.

    Shapes: → goods (batch, pairs), prices (batch, pairs).
    """
    require_positive(batch=batch, pairs=pairs)
    goods = torch.rand(batch, GOODS, generator=generator).argsort(-1)[:, :pairs]
    return goods, torch.randint(PRICES, (batch, pairs), generator=generator)


class PriceList(nn.Module):
    """Reads a list of goods with their prices, and is then asked for the price of each good.

    Shapes: goods (batch, pairs), prices (batch, pairs) → logits (batch, pairs, price), each good asked alone.
    One attention: keys are made of the goods, values of the prices, queries of the goods asked for. `kind` is "full",
    "linear", or "window": of the last `window` pairs. `size` is that of queries and keys. What is kept of the list is
    said by `kept`. Raises ValueError for an unknown kind and for sizes below 1.
    """

    def __init__(self, kind: str, size: int = 32, value_size: int = 32, window: int = 16) -> None:
        if kind not in ("full", "linear", "window"):
            raise ValueError(f"kind: got {kind!r}, expected full, linear or window")
        require_positive(size=size, value_size=value_size, window=window)
        super().__init__()
        self.kind, self.size, self.value_size, self.window = kind, size, value_size, window
        self.query, self.key = nn.Embedding(GOODS, size), nn.Embedding(GOODS, size)
        self.value = nn.Embedding(PRICES, value_size)
        self.price = nn.Linear(value_size, PRICES)

    def forward(self, goods: Tensor, prices: Tensor) -> Tensor:
        query, key, value = self.query(goods), self.key(goods), self.value(prices)
        if self.kind == "window":
            key, value = key[:, -self.window :], value[:, -self.window :]
        form = linear_attend if self.kind == "linear" else attend
        return self.price(form(query, key, value)[0])

    def kept(self, pairs: int) -> int:
        """How many numbers are kept of a list of so many pairs."""
        if self.kind == "linear":
            return self.size * self.value_size + self.size
        seen = min(pairs, self.window) if self.kind == "window" else pairs
        return seen * (self.size + self.value_size)


def price_loss(model: PriceList, pairs: int, generator: torch.Generator, batch: int = 32) -> Tensor:
    """The mean cross-entropy of a fresh batch of lists. Units: nats."""
    goods, prices = price_lists(batch, pairs, generator)
    return F.cross_entropy(model(goods, prices).flatten(0, 1), prices.flatten())


@torch.no_grad()
def prices_right(model: PriceList, pairs: int, seed: int = 1, batch: int = 64) -> float:
    """The percentage of prices told right, on lists that nobody has seen."""
    goods, prices = price_lists(batch, pairs, torch.Generator().manual_seed(10_000 + seed))
    return 100 * (model(goods, prices).argmax(-1) == prices).float().mean().item()


def needles(
    batch: int, length: int, generator: torch.Generator, place: int | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Draws texts of common words in which one price stands, at `place` or anywhere.

    Shapes: → tokens (batch, length), prices (batch), places (batch). Words are 0 to WORDS − 1, then come the prices.
    """
    require_positive(batch=batch, length=length)
    tokens = torch.randint(WORDS, (batch, length), generator=generator)
    prices = torch.randint(PRICES, (batch,), generator=generator)
    places = torch.randint(length, (batch,), generator=generator) if place is None else torch.full((batch,), place)
    tokens[torch.arange(batch), places] = WORDS + prices
    return tokens, prices, places


class Reader(nn.Module):
    """Reads a text through layers of one kind of causal attention, and says at every token which price it has read.

    Shapes: tokens (batch, length) → logits (batch, length, price).
    No positions are told, so that only the kind of attention limits how far it reads. Raises ValueError for an unknown
    kind. `window` and `sinks` concern the kinds that have them; "top-k" sees as many keys as the window, the best ones.
    """

    def __init__(self, kind: str, size: int = 32, layers: int = 2, window: int = 16, sinks: int = 4) -> None:
        if kind not in KINDS:
            raise ValueError(f"kind: got {kind!r}, expected one of {', '.join(KINDS)}")
        require_positive(size=size, layers=layers)
        super().__init__()
        self.kind, self.window, self.sinks = kind, window, sinks
        self.embed = nn.Embedding(WORDS + PRICES, size)
        self.layers = nn.ModuleList(nn.Linear(size, 3 * size) for _ in range(layers))
        self.norms = nn.ModuleList(nn.LayerNorm(size) for _ in range(layers + 1))
        self.price = nn.Linear(size, PRICES)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed(tokens)
        for layer, norm in zip(self.layers, self.norms, strict=False):
            x = x + self._attend(*layer(norm(x)).chunk(3, -1))
        return self.price(self.norms[-1](x))

    def _attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        if self.kind == "linear":
            return chunked_attend(query, key, value)[0]
        if self.kind.startswith("window"):
            return window_attend(query, key, value, self.window, self.sinks if "sinks" in self.kind else 0)
        if self.kind == "top-k":
            return top_k_attend(query, key, value, self.window, causal_mask(query.shape[-2], device=query.device))
        return F.scaled_dot_product_attention(query, key, value, is_causal=True)


def needle_loss(model: Reader, length: int, generator: torch.Generator, batch: int = 32) -> Tensor:
    """The mean cross-entropy at all tokens from the price on, in a fresh batch of texts. Units: nats."""
    tokens, prices, places = needles(batch, length, generator)
    after = torch.arange(length) >= places[:, None]  # (batch, length)
    return F.cross_entropy(model(tokens)[after], prices[:, None].expand_as(after)[after])


@torch.no_grad()
def needles_found(model: Reader, length: int, place: int = 8, seed: int = 1, batch: int = 100) -> Tensor:
    """The percentage of prices that are told right, at each distance from the price, in texts that nobody has seen.

    Shapes: → (length − place); the first is the price's own place, distance 0.
    """
    tokens, prices, _ = needles(batch, length, torch.Generator().manual_seed(20_000 + seed), place)
    right = model(tokens).argmax(-1) == prices[:, None]  # (batch, length)
    return 100 * right.float().mean(0)[place:]
