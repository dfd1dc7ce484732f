"""Attention whose context is joined to the query again and projected: the query's own content is not lost."""

import torch
from torch import Tensor, nn

from course_utils.attention import Score, attend, scaled_dot
from course_utils.scores import _require_positive


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
        _require_positive(query_size=query_size, value_size=value_size, output_size=output_size)
        super().__init__()
        self.query_size, self.value_size = query_size, value_size
        self.score = score
        self.projection = nn.Linear(value_size + query_size, output_size)
        self.squash = torch.tanh if tanh else nn.Identity()

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        _require_size("query", query, self.query_size)
        _require_size("value", value, self.value_size)
        context, weights = attend(query, key, value, mask, self.score)
        query = query.expand(*context.shape[:-1], -1)  # keys may bring leading axes of their own
        joined = torch.cat([context, query], dim=-1)  # along the features: (…, query, value size + query size)
        return self.squash(self.projection(joined)), weights


def _require_size(name: str, tensor: Tensor, size: int) -> None:
    if tensor.dim() < 2 or tensor.shape[-1] != size:
        raise ValueError(f"{name}: got shape {tuple(tensor.shape)}, expected (…, {name}, {size})")
