"""The shop's engine: words become a query, heads weigh the goods, each good asks the past clicks, a list comes out."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_utils.attention.basics import attend, scaled_dot
from course_utils.attention.guards import require_divisor, require_mask, require_positive
from course_utils.attention.heads import merge_heads, split_heads
from course_utils.attention.scores import Additive, Bilinear

RULES = ("scaled dot", "additive", "bilinear")


def encode(words: Tensor, mask: Tensor, table: Tensor) -> Tensor:
    """A query is the sum of its words' vectors.

    Shapes: words (batch, word), mask (batch, word), True = a real word, table (vocabulary, size) → (batch, size).
    A query without a word is 0.
    """
    require_mask(mask, tuple(words.shape))
    return (table[words] * mask.unsqueeze(-1)).sum(-2)


class EngineAttention(nn.Module):
    """Attention in heads, by a rule of one's choice; the contract holds for each rule.

    Shapes: query (batch, query, size), key (batch, key, size), value (batch, key, size), mask broadcastable to (batch,
    query, key), True = may attend → context (batch, query, size), weights (batch, heads, query, key).
    Each head of the additive and the bilinear rule shares one scorer. No bias: where nothing may be looked at, the
    context is 0. Raises ValueError for another rule, and for heads that do not divide the size.
    """

    def __init__(self, size: int, heads: int, rule: str = "scaled dot") -> None:
        require_divisor(size, heads)
        if rule not in RULES:
            raise ValueError(f"rule: got {rule!r}, expected one of {', '.join(RULES)}")
        super().__init__()
        self.heads, part = heads, size // heads
        self.to_query, self.to_key, self.to_value, self.to_output = (nn.Linear(size, size, bias=False) for _ in "qkvo")
        self.score: Callable[[Tensor, Tensor], Tensor] = scaled_dot
        if rule == "additive":
            self.score = Additive(part, part, part)
        elif rule == "bilinear":
            self.score = Bilinear(part, part)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        query, key, value = (
            split_heads(project(part), self.heads)
            for project, part in ((self.to_query, query), (self.to_key, key), (self.to_value, value))
        )
        mask = None if mask is None else mask.unsqueeze(-3) if mask.dim() > 2 else mask
        context, weights = attend(query, key, value, mask, self.score)
        return self.to_output(merge_heads(context)), weights


class Answer(NamedTuple):
    """What the engine says: scores (batch, good), −inf = not to be shown; and what it looked at.

    maps (batch, heads, good): each head's weights over the goods; gate (batch, heads): how much each head counts;
    asked (batch, heads, good, click): whom each good asked.
    """

    scores: Tensor
    maps: Tensor
    gate: Tensor
    asked: Tensor


class Engine(nn.Module):
    """Scores all goods for a query and a person: log of what the heads say together, plus what her clicks say.

    Shapes: words, mask (batch, word), history, seen (batch, click), may_show (batch, good), True = may be shown
    → scores (batch, good), log chances but for a sum, −inf = hidden. `look` gives an `Answer`.
    `goods` (good, description) is what each good can be found by. Heads are mixed as chances, not as scores: a mixture
    of softmaxes (Yang et al. 2018), so that a word may have two meanings. A person without a click is scored by her
    query alone; with `history=False` everybody is. `attention` builds an attention from a size and a number of heads.
    """

    goods: Tensor

    def __init__(
        self,
        goods: Tensor,
        vocabulary: int,
        size: int = 32,
        heads: int = 2,
        attention: Callable[[int, int], nn.Module] = EngineAttention,
        history: bool = True,
    ) -> None:
        require_positive(vocabulary=vocabulary)
        super().__init__()
        self.register_buffer("goods", goods)
        self.uses_history = history
        self.table = nn.Parameter(torch.randn(vocabulary, size) * 0.5)
        self.to_good, self.to_click = (nn.Linear(goods.shape[-1], size, bias=False) for _ in range(2))
        self.search, self.ask = attention(size, heads), attention(size, heads)
        self.gate, self.like = nn.Linear(size, heads), nn.Linear(size, size, bias=False)

    def forward(self, words: Tensor, mask: Tensor, history: Tensor, seen: Tensor, may_show: Tensor) -> Tensor:
        return self.look(words, mask, history, seen, may_show).scores

    def look(self, words: Tensor, mask: Tensor, history: Tensor, seen: Tensor, may_show: Tensor) -> Answer:
        """The same as calling the engine, with what it looked at."""
        query = encode(words, mask, self.table)  # (batch, size)
        goods = self.to_good(self.goods).expand(len(query), -1, -1)  # (batch, good, size)
        _, weights = self.search(query.unsqueeze(1), goods, goods, may_show.unsqueeze(1))
        maps, gate = weights.squeeze(-2), torch.softmax(self.gate(query), -1)  # (batch, heads, good), (batch, heads)
        scores = (gate.unsqueeze(-1) * maps).sum(1).clamp(min=1e-9).log()
        asked = maps.new_zeros(*maps.shape, history.shape[-1])  # nobody is asked
        if self.uses_history:
            clicks = self.to_click(self.goods[history])  # (batch, click, size)
            askers = self.to_click(self.goods).expand(len(query), -1, -1)
            context, asked = self.ask(askers, clicks, clicks, seen.unsqueeze(1))  # (batch, good, size)
            scores = scores + (context * self.like(askers)).sum(-1)
        return Answer(scores.masked_fill(~may_show, -torch.inf), maps, gate, asked)
