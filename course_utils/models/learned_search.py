"""The learned search of lesson 01: two projections and a scaled dot product."""

from torch import Tensor, nn

from course_utils.attention.basics import scaled_dot


class LearnedSearch(nn.Module):
    """Scores by learned projections of words and of attributes.

    Shapes: words (query, word), goods (good, attribute) → scores (query, good).
    """

    def __init__(self, words: int, attributes: int, size: int = 16) -> None:
        super().__init__()
        self.to_query = nn.Linear(words, size, bias=False)
        self.to_key = nn.Linear(attributes, size, bias=False)

    def forward(self, words: Tensor, goods: Tensor) -> Tensor:
        return scaled_dot(self.to_query(words), self.to_key(goods))
