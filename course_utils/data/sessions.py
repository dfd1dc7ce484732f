"""A day in the shop: who comes, what she clicked before, what she types, what is sold out, and what she clicks.

All of it is simulated on top of the shop of lesson 01, so the truth is known: a good suits a person by her query, as in
`shop.click_chances`, and by the past clicks that are like it.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from course_utils.attention.guards import require_positive
from course_utils.data.clicks import relevance
from course_utils.data.shop import FACTS, GOODS, TEMPERATURE, WORDS, keys, meanings, read, values

LONGEST, TASTES, LIKES, SHARPNESS = 12, 3, 2.0, 0.1  # clicks in a history; tastes of a person; see `interest`
NEW, SOLD_OUT, PAGE = 0.2, 0.15, 8  # the share of people without a click, and of goods that are gone; goods shown


class Sessions(NamedTuple):
    """What the shop writes down about each visit.

    Shapes: query (session), a place in the list of queries; history (session, click), rows of the catalogue, any number
    where seen is False; seen (session, click), True = a real click; sold_out (session, good); page (session, good on
    the page), rows of the catalogue, none sold out; place (session), where on the page she clicked.
    """

    query: Tensor
    history: Tensor
    seen: Tensor
    sold_out: Tensor
    page: Tensor
    place: Tensor


def asking(history: Tensor, seen: Tensor) -> Tensor:
    """The true weight of each past click when a good asks: how much it counts. Only the simulation knows it.

    Shapes: history (session, click), seen (session, click) → (session, good, click), rows sum to 1, or to 0 for nobody.
    """
    scores = relevance()[history].transpose(1, 2) / SHARPNESS  # (session, good, click)
    weights = torch.softmax(scores.masked_fill(~seen[:, None], -torch.inf), -1)
    return weights.nan_to_num(0.0)


def interest(history: Tensor, seen: Tensor) -> Tensor:
    """How much a person likes each good by what she clicked: close to the relevance of the click that is most like it.

    Shapes: history (session, click), seen (session, click) → (session, good), from 0 to 1; 0 without a click.
    """
    return (asking(history, seen) * relevance()[history].transpose(1, 2)).sum(-1)


def session_chances(queries: list[str], sessions: Sessions) -> Tensor:
    """The true chance of a click on each good, if all that are not sold out stood on one page.

    Shapes: → (session, good); rows sum to 1.
    """
    return _chances(queries, sessions, ~sessions.sold_out)


def simulate_sessions(queries: list[str], count: int, generator: torch.Generator) -> Sessions:
    """Lets people come by: each has tastes and, but for the new ones, past clicks from them; some goods are sold out.

    She types one of the queries, sees a page of goods drawn at random from those that are left, and clicks one.
    Raises ValueError when there is no query, or no session.
    """
    require_positive(count=count)
    if not queries:
        raise ValueError("queries: got none, expected at least one")
    tastes = torch.randint(len(GOODS), (count, TASTES), generator=generator)
    wanted = tastes.gather(1, torch.randint(TASTES, (count, LONGEST), generator=generator))
    drawn = torch.multinomial(relevance()[wanted].flatten(0, 1), 1, generator=generator).view(count, LONGEST)
    lengths = torch.randint(1, LONGEST + 1, (count,), generator=generator)
    lengths[torch.rand(count, generator=generator) < NEW] = 0
    seen = torch.arange(LONGEST) < lengths[:, None]
    sold_out = torch.rand(count, len(GOODS), generator=generator) < SOLD_OUT
    order = torch.rand(count, len(GOODS), generator=generator).masked_fill(sold_out, 2.0)  # what is gone comes last
    page = order.argsort(-1)[:, :PAGE]
    query = torch.randint(len(queries), (count,), generator=generator)
    visits = Sessions(query, drawn, seen, sold_out, page, torch.zeros(count, dtype=torch.long))
    shown = torch.zeros_like(sold_out).scatter(1, page, True)
    clicked = torch.multinomial(_chances(queries, visits, shown).gather(1, page), 1, generator=generator)[:, 0]
    return visits._replace(place=clicked)


def _chances(queries: list[str], sessions: Sessions, shown: Tensor) -> Tensor:
    likes = LIKES * interest(sessions.history, sessions.seen)  # (session, good)
    found = torch.zeros(shown.shape)
    rating = values()[:, FACTS.index("rating")] - 4.5
    for number, text in enumerate(queries):
        rows = (sessions.query == number).nonzero()[:, 0]
        wishes, chances = meanings(text)
        suits = (keys() @ wishes.T + rating[:, None]) + likes[rows, :, None]  # (session, good, meaning)
        hidden = ~shown[rows, :, None]
        found[rows] = torch.softmax((suits / TEMPERATURE).masked_fill(hidden, -torch.inf), 1) @ chances
    return found


def tokens(queries: list[str]) -> tuple[Tensor, Tensor]:
    """The words of each query as rows of the vocabulary, filled up to the longest; what is unknown is skipped.

    Shapes: a list of queries → words (query, word), numbers from 0 to len(WORDS) − 1 and 0 where mask is False; mask
    (query, word), True = a real word. Raises ValueError for a query without a known word.
    """
    numbers = [[list(WORDS).index(word) for word in read(query)] for query in queries]
    words = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in numbers], batch_first=True)
    lengths = torch.tensor([len(row) for row in numbers])
    return words, torch.arange(words.shape[1]) < lengths[:, None]


def descriptions() -> Tensor:
    """What a good can be found by: its attributes, and its rating counted from 4.5 stars.

    Shapes: (good, attribute + 1).
    """
    return torch.cat([keys(), values()[:, FACTS.index("rating"), None] - 4.5], -1)


def with_other_history(sessions: Sessions, generator: torch.Generator) -> Sessions:
    """The same visits, each with the past clicks of somebody drawn at random: a control. Nothing else changes."""
    other = torch.randperm(len(sessions.query), generator=generator)
    return sessions._replace(history=sessions.history[other], seen=sessions.seen[other])
