"""Searching for a likely target: greedy and beam search over the decoder, and the probability of a given target."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from course_utils.attention.guards import require_positive
from course_utils.data.text import END, PAD, START


@torch.no_grad()
def greedy_search(model, source: Tensor, source_mask: Tensor, longest: int) -> Tensor:
    """Writes the likeliest token, reads it back in, and so on, up to `<end>` or `longest` tokens.

    Shapes: source (batch, source), source_mask (batch, 1, source) → ids (batch, target), target ≤ longest.
    After a row's `<end>` its ids are `<pad>`; writing stops when every row has ended. `model` needs what `beam_search`
    needs. Raises ValueError for fewer than one token.
    """
    require_positive(longest=longest)
    memory = model.encode(source, source_mask)
    token, state = torch.full_like(source[:, :1], START), memory.last
    done = torch.zeros_like(token, dtype=torch.bool)
    ids: list[Tensor] = []
    while len(ids) < longest and not done.all():
        logits, _, state = model.decode(memory, token, state, first=len(ids))
        token = logits[:, -1:].argmax(dim=-1).masked_fill(done, PAD)  # (batch, 1)
        done = done | (token == END)
        ids.append(token)
    return torch.cat(ids, dim=1)


@torch.no_grad()
def beam_search(
    model, source: Tensor, source_mask: Tensor, longest: int, beams: int = 5, length_penalty: float = 0.6
) -> tuple[Tensor, Tensor]:
    """Keeps the `beams` best beginnings of each target, lengthens each by every token, and keeps the best again.

    Shapes: source (batch, source), source_mask (batch, 1, source) → ids (batch, target), scores (batch), target ≤
    longest. Only the best target of each row comes back, with `<pad>` after its `<end>`. Its score is its
    log-probability (nats) divided by ((5 + length) / 6) ** length_penalty, `<end>` counted; 0 does not normalise. A
    beginning that has ended keeps its score and competes with the others. A row is finished when nothing can overtake
    its best ended target any more. One that has not ended at `longest` counts as it is. With one beam this is greedy
    search. `model` needs `encode(source, source_mask)`, whose memory has `rows` and `last`, and `decode`.
    Raises ValueError for fewer than one beam or token, or a negative penalty. Source: Wu et al. 2016, equation 14.
    """
    _require_settings(longest, beams, length_penalty)
    memory = model.encode(source, source_mask)
    batch, device = len(source), source.device
    memory = memory.rows(torch.arange(batch, device=device).repeat_interleave(beams))
    state, token = memory.last, torch.full((batch * beams, 1), START, device=device)
    total = torch.full((batch, beams), -math.inf, device=device)
    total[:, 0] = 0.0  # at the start there is one beginning, not `beams` equal ones
    length = torch.zeros(batch, beams, dtype=torch.long, device=device)
    ended = torch.zeros(batch, beams, dtype=torch.bool, device=device)
    ids = torch.full((batch, beams, longest), PAD, device=device)
    offset = beams * torch.arange(batch, device=device)[:, None]  # where each row's beams begin
    for step in range(longest):
        logits, _, state = model.decode(memory, token, state, first=step)
        gains, tokens = best_tokens(logits[:, -1], beams, ended)  # (batch, beams, tokens)
        grown = length[..., None] + ~ended[..., None]  # (batch, beams, 1)
        candidates = total[..., None] + gains
        ranked = normalised(candidates, grown, length_penalty)
        best = ranked.flatten(1).topk(beams, dim=1).indices  # (batch, beams), the best first
        parent = best // tokens.shape[-1]
        total, token = candidates.flatten(1).gather(1, best), tokens.flatten(1).gather(1, best)
        length = grown[..., 0].gather(1, parent)
        ended = ended.gather(1, parent) | (token == END)
        ids = ids.gather(1, parent[..., None].expand_as(ids))
        ids[..., step] = token
        state, token = state.index_select(0, (offset + parent).flatten()), token.view(-1, 1)
        if settled(total, length, ended, longest, length_penalty).all():
            break
    scores = normalised(total, length, length_penalty)
    score, beam = scores.max(dim=1)
    return ids[torch.arange(batch, device=device), beam, : step + 1], score


@torch.no_grad()
def log_probability(model, source: Tensor, source_mask: Tensor, ids: Tensor) -> Tensor:
    """Gives the log-probability that the model gives to each target, `<end>` included if it is there.

    Shapes: source (batch, source), source_mask (batch, 1, source), ids (batch, target) → (batch). Units: nats.
    `<pad>` after a target does not count. With it, two searches can be compared: what the model finds likelier, and
    not only what each of them found.
    """
    memory = model.encode(source, source_mask)
    before = F.pad(ids[:, :-1], (1, 0), value=START)
    logits, _, _ = model.decode(memory, before, memory.last)
    each = torch.log_softmax(logits.float(), dim=-1).gather(-1, ids[..., None]).squeeze(-1)  # (batch, target)
    after_end = (ids == END).cumsum(dim=1) - (ids == END).long() > 0
    return each.masked_fill(after_end, 0.0).sum(dim=1)


def best_tokens(logits: Tensor, beams: int, ended: Tensor) -> tuple[Tensor, Tensor]:
    """Gives the likeliest next tokens of each beginning and their log-probabilities; one that ended gets `<pad>` only.

    Shapes: logits (batch · beams, vocabulary), ended (batch, beams) → both (batch, beams, at most `beams`).
    More than `beams` of one beginning can never be among the `beams` best of all.
    """
    logits = logits.float()
    values, tokens = logits.topk(min(beams, logits.shape[-1]), dim=-1)
    gains = values - logits.logsumexp(dim=-1, keepdim=True)
    shape = (*ended.shape, values.shape[-1])
    gains, tokens, ended = gains.view(shape), tokens.view(shape), ended[..., None]
    only = torch.arange(values.shape[-1], device=logits.device) == 0
    return torch.where(ended, torch.where(only, 0.0, -math.inf), gains), tokens.masked_fill(ended, PAD)


def normalised(total: Tensor, length: Tensor, penalty: float) -> Tensor:
    """Divides log-probabilities by the length penalty ((5 + length) / 6) ** penalty.

    Shapes: total (…), length broadcastable to it → (…). Source: Wu et al. 2016, equation 14.
    """
    return total / ((5 + length) / 6) ** penalty


def settled(total: Tensor, length: Tensor, ended: Tensor, longest: int, penalty: float) -> Tensor:
    """Says whether the best ended target of each row beats all that its open ones can still become.

    Shapes: total, length, ended (batch, beams) → (batch).
    A total only falls from here on; at best it stays, and is divided by the penalty of the greatest length.
    """
    best_ended = normalised(total, length, penalty).masked_fill(~ended, -math.inf).amax(dim=1)
    best_open = normalised(total, torch.full_like(length, longest), penalty).masked_fill(ended, -math.inf).amax(dim=1)
    return best_ended >= best_open


def _require_settings(longest: int, beams: int, length_penalty: float) -> None:
    require_positive(longest=longest, beams=beams)
    if not length_penalty >= 0:
        raise ValueError(f"length_penalty: got {length_penalty!r}, expected a number of at least 0")
