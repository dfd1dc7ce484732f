"""Self-attention: query, key and value are three projections of one source."""

from torch import Tensor, nn

from course_utils.attention import attend


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
        _require_positive(input_size=input_size, size=size, value_size=value_size)
        super().__init__()
        self.query = nn.Linear(input_size, size, bias)
        self.key = nn.Linear(input_size, size, bias)
        self.value = nn.Linear(input_size, value_size, bias)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        _require_source(x, self.query.in_features)
        return attend(self.query(x), self.key(x), self.value(x), mask)


def _require_positive(**sizes: int) -> None:
    for name, size in sizes.items():
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise ValueError(f"{name}: got {size!r}, expected a whole number of at least 1")


def _require_source(x: Tensor, size: int) -> None:
    if x.dim() < 2 or x.shape[-1] != size:
        raise ValueError(f"x: got shape {tuple(x.shape)}, expected (…, length, {size})")
