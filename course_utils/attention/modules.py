"""Two attentions with parameters: of a sequence to itself, and one whose context is joined to the query again."""

import torch
from torch import Tensor, nn

from course_utils.attention.basics import Score, attend, scaled_dot
from course_utils.attention.guards import require_positive, require_size


class SelfAttention(nn.Module):
    """Self-attention with one head: every element of the input asks all elements, itself included.

    Shapes: x (…, length, input size), mask (…, query, key) → context (…, length, value size), weights (…, query, key).
    `size` is that of query and key, by default the input's; `value_size` is by default `size`. Without positions,
    shuffling the input shuffles the output alike. Raises ValueError for sizes below 1 or an x of another size.
    Source: Vaswani et al. 2017, section 3.2.3; Cheng, Dong and Lapata 2016 for the idea.
    """

    def __init__(
        self, input_size: int, size: int | None = None, value_size: int | None = None, bias: bool = True
    ) -> None:
        size = input_size if size is None else size
        value_size = size if value_size is None else value_size
        require_positive(input_size=input_size, size=size, value_size=value_size)
        super().__init__()
        self.query = nn.Linear(input_size, size, bias)
        self.key = nn.Linear(input_size, size, bias)
        self.value = nn.Linear(input_size, value_size, bias)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        require_size("x", x, self.query.in_features, axis="length")
        return attend(self.query(x), self.key(x), self.value(x), mask)


class JoinedAttention(nn.Module):
    """Attends, joins each query's context to the query, and projects the pair: output = W[context; query] + b.

    Shapes: query (…, query, query size), key (…, key, key size), value (…, key, value size), mask (…, query, key)
    → output (…, query, output size), weights (…, query, key).
    One output per query, never per key. With `tanh=True` the projection is squashed, as Luong's is. `score` may be a
    module with parameters of its own. Raises ValueError when query or value has another size, or the parts do not fit.
    Source: Luong, Pham and Manning 2015, equation 5.
    """

    def __init__(
        self, query_size: int, value_size: int, output_size: int, score: Score = scaled_dot, tanh: bool = False
    ) -> None:
        require_positive(query_size=query_size, value_size=value_size, output_size=output_size)
        super().__init__()
        self.query_size, self.value_size = query_size, value_size
        self.score = score
        self.projection = nn.Linear(value_size + query_size, output_size)
        self.squash = torch.tanh if tanh else nn.Identity()

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        require_size("query", query, self.query_size)
        require_size("value", value, self.value_size)
        context, weights = attend(query, key, value, mask, self.score)
        query = query.expand(*context.shape[:-1], -1)  # keys may bring leading axes of their own
        joined = torch.cat([context, query], dim=-1)  # along the features: (…, query, value size + query size)
        return self.squash(self.projection(joined)), weights
