"""A small shop, written for this course: 48 goods, 22 words to search with, and shoppers who click.

Its tables stand in catalogue.py. The search engine knows the goods and the clerk's words; what people mean only the
shoppers know: from it come the clicks, all of them simulated.
"""

import itertools
import re
from typing import NamedTuple

import torch
from torch import Tensor

from course_utils.data.catalogue import (
    ATTRIBUTES,
    CATALOGUE,
    FACTS,
    MEANINGS,
    NOUNS,
    PURPOSES,
    STOP_WORDS,
    WORDS,
)

TEMPERATURE = 0.35  # how steadily a shopper clicks what suits her best: 0 always, a large number hardly ever


class Good(NamedTuple):
    """One line of the catalogue."""

    name: str
    chinese: str
    price: float
    weight: float
    rating: float
    attributes: str


class Clicks(NamedTuple):
    """What a shop writes down: which query was typed, the page of goods shown, and the place on it that was clicked.

    Shapes: query (click), page (click, good), place (click).
    """

    query: Tensor
    page: Tensor
    place: Tensor


def _amounts(text: str) -> list[float]:
    """A row over the attributes from text such as "paper 10, small 7", which counts in tenths."""
    row = dict.fromkeys(ATTRIBUTES, 0.0)
    for part in filter(None, text.split(", ")):
        name, tenths = part.split()
        if name not in row:
            raise ValueError(f"attribute: got {name!r}, expected one of {', '.join(ATTRIBUTES)}")
        row[name] = int(tenths) / 10
    return list(row.values())


def _good(line: str) -> Good:
    name, chinese, price, weight, rating, attributes = (cell.strip() for cell in line.split("|"))
    return Good(name, chinese, float(price), float(weight), float(rating), attributes)


GOODS = tuple(map(_good, CATALOGUE.strip().splitlines()))
NAMES = tuple(good.name for good in GOODS)


def keys() -> Tensor:
    """What each good can be found by: how much it has of every attribute, from 0 to 1.

    Shapes: (good, attribute).
    """
    return torch.tensor([_amounts(good.attributes) for good in GOODS])


def values() -> Tensor:
    """What the shop answers with for each good: price in yuan, weight in grams, rating in stars.

    Shapes: (good, fact).
    """
    return torch.tensor([[good.price, good.weight, good.rating] for good in GOODS])


def word_table() -> Tensor:
    """The clerk's table: what each word says about the attributes; a row of zeros where she wrote nothing.

    Shapes: (word, attribute).
    """
    return torch.tensor([_amounts(line.partition(" | ")[2]) for line in WORDS.values()])


def read(query: str) -> list[str]:
    """The known words of a query, English or Chinese, in the order of WORDS; unknown words are skipped.

    Chinese is written without spaces, so the longest known word is taken first: 笔记本 is a notebook, not a pen (笔).
    Raises ValueError when no word is known.
    """
    rest = query.lower()
    found = set(re.findall("[a-z]+", rest)) - STOP_WORDS
    chinese = {line.partition(" | ")[0]: word for word, line in WORDS.items()}
    for name in sorted(chinese, key=len, reverse=True):
        if name in rest:
            rest = rest.replace(name, " ")
            found.add(chinese[name])
    if not found & WORDS.keys():
        raise ValueError(f"query: got {query!r}, expected at least one of the words {', '.join(WORDS)}")
    return [word for word in WORDS if word in found]


def counts(queries: list[str]) -> Tensor:
    """Which words each query holds: 1 where it does, else 0.

    Shapes: a list of queries → (query, word).
    """
    if isinstance(queries, str):
        raise ValueError(f"queries: got the text {queries!r}, expected a list of texts")
    found = [read(query) for query in queries]
    return torch.tensor([[float(word in words) for word in WORDS] for words in found])


def meanings(query: str) -> tuple[Tensor, Tensor]:
    """What a shopper who types the query may mean: one wish for each way to understand its words, and their chances.

    Shapes: wishes (meaning, attribute), chances (meaning).
    She means one thing by each word and wants all of it: wishes add up. Readings that agree with each other are
    likelier, by the exponential of the dot product of their wishes: "notebook for school" is paper more often.
    """
    senses = [[torch.tensor(_amounts(wish)) for wish in MEANINGS[word]] for word in read(query)]
    readings = [torch.stack(reading) for reading in itertools.product(*senses)]  # each (word, attribute)
    agreement = torch.stack([(reading @ reading.T).triu(diagonal=1).sum() for reading in readings])
    return torch.stack([reading.sum(0) for reading in readings]), torch.softmax(agreement, 0)


def click_chances(query: str, page: Tensor) -> Tensor:
    """The chance that a shopper with this query clicks each good on a page: she clicks exactly one of them.

    Shapes: page (…, good) of rows in the catalogue → chances (…, good), which sum to 1.
    A good suits her by its attributes under her wish, and a little by its rating; where it stands does not matter.
    Raises ValueError for rows that are not in the catalogue. Source: Luce 1959, Individual Choice Behavior.
    """
    if page.numel() and not 0 <= page.min() <= page.max() < len(GOODS):
        raise ValueError(f"page: got {page.min()} to {page.max()}, expected rows from 0 to {len(GOODS) - 1}")
    wishes, chances = meanings(query)
    suits = keys()[page] @ wishes.T + values()[page, FACTS.index("rating"), None] - 4.5  # (…, good, meaning)
    return torch.softmax(suits / TEMPERATURE, dim=-2) @ chances


def simulate_clicks(queries: list[str], count: int, generator: torch.Generator, page_size: int = 8) -> Clicks:
    """Lets shoppers search: each types one of the queries, sees a page of goods drawn at random, and clicks one.

    Raises ValueError when there is no query, no click, or no page of that size.
    """
    if not queries or count < 1:
        raise ValueError(f"queries, count: got {len(queries)} and {count}, expected at least one of each")
    if not 1 <= page_size <= len(GOODS):
        raise ValueError(f"page_size: got {page_size}, expected a number from 1 to {len(GOODS)}")
    query = torch.randint(len(queries), (count,), generator=generator)
    page = torch.rand(count, len(GOODS), generator=generator).argsort(-1)[:, :page_size]
    chances = torch.empty(count, page_size)
    for number, text in enumerate(queries):
        chances[query == number] = click_chances(text, page[query == number])
    return Clicks(query, page, torch.multinomial(chances, 1, generator=generator)[:, 0])


def popularity(clicks: Clicks) -> Tensor:
    """How often each good is clicked when it is shown, whatever the query; 0 for a good that was never shown.

    Shapes: clicks → (good).
    """
    shown = clicks.page.flatten().bincount(minlength=len(GOODS))
    clicked = clicks.page.gather(-1, clicks.place[:, None]).flatten().bincount(minlength=len(GOODS))
    return clicked / shown.clamp(min=1)


def split_queries(generator: torch.Generator, held_out: int = 40) -> tuple[list[str], list[str]]:
    """Queries that shoppers type while the engine learns, and others that it meets only afterwards.

    Every word alone, and every noun for every purpose; `held_out` of the latter are set apart, "notebook for school"
    among them. Raises ValueError when none or all of them would be set apart.
    """
    pairs = [f"{noun} for {purpose}" for noun, purpose in itertools.product(NOUNS, PURPOSES)]
    if not 0 < held_out < len(pairs):
        raise ValueError(f"held_out: got {held_out}, expected a number from 1 to {len(pairs) - 1}")
    pairs.remove(thread := "notebook for school")
    order = torch.randperm(len(pairs), generator=generator).tolist()
    apart = [thread, *(pairs[index] for index in order[: held_out - 1])]
    return [*WORDS, *(pair for pair in pairs if pair not in apart)], apart


def rank(scores: Tensor) -> Tensor:
    """The places of the goods in the catalogue from the best score to the worst.

    Shapes: scores (…, good) → (…, good). Equal scores stay in the order of the catalogue, on every machine.
    """
    return scores.round(decimals=5).sort(dim=-1, descending=True, stable=True).indices


def ndcg(scores: Tensor, gains: Tensor, at: int = 10) -> Tensor:
    """How good a ranking is: its gains, counted less further down, as a share of the best possible ranking's.

    Shapes: scores (…, good), gains (…, good) → (…), from 0 to 1.
    Raises ValueError when scores and gains differ in shape.
    Source: Järvelin and Kekäläinen 2002, Cumulated Gain-Based Evaluation of IR Techniques.
    """
    if scores.shape != gains.shape:
        raise ValueError(f"gains: got shape {tuple(gains.shape)}, expected that of scores, {tuple(scores.shape)}")
    found = gains.gather(-1, rank(scores))[..., :at]
    best = gains.sort(dim=-1, descending=True).values[..., :at]
    discount = 1 / torch.log2(torch.arange(best.shape[-1], device=gains.device) + 2.0)  # 1, 0.63, 0.5, 0.43, …
    return (found * discount).sum(-1) / (best * discount).sum(-1)
