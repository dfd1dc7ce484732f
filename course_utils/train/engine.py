"""Training and measuring the shop's engine."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_utils.data.sessions import Sessions, tokens
from course_utils.data.shop import GOODS, WORDS, Clicks, counts, keys
from course_utils.models.learned_search import LearnedSearch
from course_utils.train.fit import fit_rows


def on_page(sessions: Sessions) -> Tensor:
    """Which goods stood on the page. Shapes: → (session, good), True = shown."""
    return torch.zeros_like(sessions.sold_out).scatter(1, sessions.page, True)


def fit_engine(
    engine: nn.Module,
    queries: list[str],
    sessions: Sessions,
    steps: int = 400,
    learning_rate: float = 3e-2,
    batch: int = 256,
    seed: int = 0,
) -> list[float]:
    """Trains on clicks, and gives the loss of each step, in nats: −log of the chance of what was clicked on its page.

    A good that was not on the page is hidden, as one that is sold out. Raises ValueError for a batch below 1.
    """
    device = next(engine.parameters()).device
    words, mask = tokens(queries)
    shown, clicked = on_page(sessions), sessions.page.gather(1, sessions.place[:, None])[:, 0]

    def loss(rows: Tensor) -> Tensor:
        asked = sessions.query[rows]
        inputs = words[asked], mask[asked], sessions.history[rows], sessions.seen[rows], shown[rows]
        return F.cross_entropy(engine(*(part.to(device) for part in inputs)), clicked[rows].to(device))

    return fit_rows(engine, loss, len(clicked), steps, learning_rate, batch, seed)


def fit_search(queries: list[str], clicks: Clicks, seed: int = 0) -> LearnedSearch:
    """Trains the learned search of lesson 01 as that lesson does: 300 steps of 512 clicks. It knows no history."""
    torch.manual_seed(seed)
    model, words, goods = LearnedSearch(len(WORDS), keys().shape[1]), counts(queries), keys()

    def loss(rows: Tensor) -> Tensor:
        scores = model(words, goods)[clicks.query[rows]].gather(-1, clicks.page[rows])  # (click, good on the page)
        return F.cross_entropy(scores, clicks.place[rows])

    fit_rows(model, loss, len(clicks.query), 300, 3e-2, 512, seed)
    return model


def score_sessions(engine: nn.Module, queries: list[str], sessions: Sessions, may_show: Tensor | None = None) -> Tensor:
    """What the engine gives every good in every session; without `may_show` all that are not sold out may be shown.

    Shapes: → (session, good), −inf = hidden.
    """
    words, mask = tokens(queries)
    asked, device = sessions.query, next(engine.parameters()).device
    allowed = ~sessions.sold_out if may_show is None else may_show
    inputs = words[asked], mask[asked], sessions.history, sessions.seen, allowed
    with torch.no_grad():
        return engine(*(part.to(device) for part in inputs)).cpu()


def score_queries(engine: nn.Module, queries: list[str]) -> Tensor:
    """What the engine gives every good for each query of somebody new, with nothing sold out.

    Shapes: → (query, good).
    """
    words, mask = tokens(queries)
    device = next(engine.parameters()).device
    nobody = torch.zeros(len(queries), 1, dtype=torch.long), torch.zeros(len(queries), 1, dtype=torch.bool)
    with torch.no_grad():
        shown = torch.ones(len(queries), len(GOODS), dtype=torch.bool)
        return engine(*(part.to(device) for part in (words, mask, *nobody, shown))).cpu()


def page_auc(scores: Tensor, page: Tensor, place: Tensor) -> float:
    """How often the good that was clicked scores higher than another one on its page; equal scores count half.

    Shapes: scores (session, good), page (session, good on the page), place (session) → a number from 0 to 1.
    """
    shown = scores.cpu().gather(1, page.cpu())  # not every device has float64
    clicked = shown.gather(1, place.cpu()[:, None])
    wins = (clicked > shown).double() + 0.5 * (clicked == shown).double()
    return ((wins.sum(1) - 0.5) / (page.shape[1] - 1)).mean().item()  # the clicked one is level with itself
