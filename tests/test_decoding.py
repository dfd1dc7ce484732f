"""Beam search: greedy with one beam, exhaustive search with enough of them, a plain loop in between."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from course_utils.attention import scaled_dot
from course_utils.attention.masks import padding_mask
from course_utils.data.text import END, PAD, START
from course_utils.models.decoding import beam_search, log_probability
from course_utils.models.seq2seq import Seq2Seq

LENGTHS = torch.tensor([5, 2, 4])


def model(seed=0, vocabulary=6, score=scaled_dot, cell="gru", sharpness=4.0):
    torch.manual_seed(seed)
    made = Seq2Seq(9, vocabulary, size=8, score=score, cell=cell).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(2.0)
        made.project.weight.mul_(sharpness / 2)
    return made


def sources(seed=0):
    generator = torch.Generator().manual_seed(seed)
    mask = padding_mask(LENGTHS)
    return torch.randint(4, 9, (3, 5), generator=generator).masked_fill(~mask[:, 0], PAD), mask


def ended(sequence):
    return sequence[: sequence.index(END) + 1] if END in sequence else sequence


def normalised(total, length, penalty):
    return total / ((5 + length) / 6) ** penalty


def total_of(model, source, sequence):
    """The log-probability of one target for one source without padding, token by token."""
    memory = model.encode(source[None], torch.ones(1, 1, len(source), dtype=torch.bool))
    state, before, total = memory.last, START, 0.0
    for step, token in enumerate(sequence):
        logits, _, state = model.decode(memory, torch.tensor([[before]]), state, first=step)
        total += torch.log_softmax(logits[0, 0], -1)[token].item()
        before = token
    return total


@torch.no_grad()
def plain_beam_search(model, source, longest, beams, penalty):
    """The same rules as a loop over beginnings, for one source."""
    vocabulary = model.project.out_features
    beam = [([], 0.0)]
    for _ in range(longest):
        grown = []
        for sequence, total in beam:
            if END in sequence:
                grown.append((sequence, total))
                continue
            for token in range(vocabulary):
                longer = [*sequence, token]
                grown.append((longer, total_of(model, source, longer)))
        grown.sort(key=lambda one: -normalised(one[1], len(one[0]), penalty))
        beam = grown[:beams]
    sequence, total = beam[0]
    return sequence, normalised(total, len(sequence), penalty)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("score", [None, scaled_dot])
@pytest.mark.parametrize("seed", range(4))
def test_one_beam_is_greedy(seed, score, cell):
    tiny, (source, mask) = model(seed, 11, score, cell), sources(seed)
    ids, _ = tiny.greedy(source, mask, 7)
    found, _ = beam_search(tiny, source, mask, 7, beams=1)
    assert torch.equal(found, ids)


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("seed", range(2))
@torch.no_grad()
def test_enough_beams_find_the_best_of_all_targets(seed, penalty):
    tiny, (source, mask), longest = model(seed, sharpness=2.0), sources(seed), 3
    every = {tuple(ended(list(one))) for one in itertools.product(range(6), repeat=longest)}
    ids, scores = beam_search(tiny, source, mask, longest, beams=len(every), length_penalty=penalty)
    for row, length in enumerate(LENGTHS.tolist()):
        best = max((normalised(total_of(tiny, source[row, :length], one), len(one), penalty), one) for one in every)
        assert tuple(ended(ids[row].tolist())) == best[1]
        assert scores[row].item() == pytest.approx(best[0], abs=1e-4)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.sampled_from([0.0, 0.6, 1.5]), st.integers(1, 5))
def test_a_beam_of_any_width_is_the_plain_loop(seed, beams, penalty, longest):
    tiny, (source, mask) = model(seed), sources(seed)
    ids, scores = beam_search(tiny, source, mask, longest, beams, penalty)
    for row, length in enumerate(LENGTHS.tolist()):
        expected, score = plain_beam_search(tiny, source[row, :length], longest, beams, penalty)
        assert ended(ids[row].tolist()) == expected
        assert scores[row].item() == pytest.approx(score, abs=1e-4)
        assert set(ids[row, len(expected) :].tolist()) <= {PAD}


class Tree(nn.Module):
    """A model that is a table: the next token's probability depends on the token before, and on nothing else."""

    def __init__(self, table):
        super().__init__()
        self.table = torch.tensor(table).clamp_min(1e-30).log()

    def encode(self, source, mask):
        return Roots(torch.zeros(len(source), 1))

    def decode(self, memory, target_in, state, first=0):
        return self.table[target_in], None, state


class Roots:
    def __init__(self, last):
        self.last = last

    def rows(self, index):
        return Roots(self.last[index])


def test_a_tree_where_greedy_goes_wrong():
    # tokens: 0 pad, 1 start, 2 end, 3 red, 4 blue, 5 pen, 6 mug, 7 hat
    table = torch.zeros(8, 8)
    table[START, 3], table[START, 4] = 0.6, 0.4
    table[3, 5], table[3, 6], table[3, 7] = 0.4, 0.3, 0.3
    table[4, 6], table[4, 7] = 0.95, 0.05
    table[5:, END] = 1.0
    tree, source, mask = Tree(table.tolist()), torch.zeros(1, 1, dtype=torch.long), torch.ones(1, 1, 1).bool()
    greedy, low = beam_search(tree, source, mask, 4, beams=1, length_penalty=0.0)
    found, high = beam_search(tree, source, mask, 4, beams=2, length_penalty=0.0)
    assert greedy.tolist() == [[3, 5, END]] and low.exp().item() == pytest.approx(0.24)
    assert found.tolist() == [[4, 6, END]] and high.exp().item() == pytest.approx(0.38)


def test_without_a_penalty_short_targets_win_and_with_one_they_do_not():
    table = torch.zeros(6, 6)  # <end> at once: 0.4; or two tokens more, 0.6 · 0.6 = 0.36 in all
    table[START, END], table[START, 4] = 0.4, 0.6
    table[4, 5], table[4, 3] = 0.6, 0.4
    table[5, END] = table[3, END] = 1.0
    tree, source, mask = Tree(table.tolist()), torch.zeros(1, 1, dtype=torch.long), torch.ones(1, 1, 1).bool()
    assert beam_search(tree, source, mask, 4, 3, length_penalty=0.0)[0][0, 0] == END
    assert beam_search(tree, source, mask, 4, 3, length_penalty=1.0)[0].tolist() == [[4, 5, END]]


def test_rows_are_independent_and_padding_changes_nothing():
    tiny, (source, mask) = model(3, 11), sources(3)
    ids, scores = beam_search(tiny, source, mask, 6, beams=4)
    for row, length in enumerate(LENGTHS.tolist()):
        alone, score = beam_search(tiny, source[row : row + 1, :length], mask[row : row + 1, :, :length], 6, beams=4)
        assert ended(alone[0].tolist()) == ended(ids[row].tolist())
        assert score[0].item() == pytest.approx(scores[row].item(), abs=1e-5)


@torch.no_grad()
def test_log_probability_is_the_sum_token_by_token():
    tiny, (source, mask) = model(2, 11), sources(2)
    ids = torch.tensor([[4, 5, END, PAD, PAD], [END, PAD, PAD, PAD, PAD], [7, 8, 9, 6, 5]])
    found = log_probability(tiny, source, mask, ids)
    for row, length in enumerate(LENGTHS.tolist()):
        expected = total_of(tiny, source[row, :length], ended(ids[row].tolist()))
        assert found[row].item() == pytest.approx(expected, abs=1e-4)


def test_a_search_tells_the_probability_of_what_it_found():
    tiny, (source, mask) = model(5, 11), sources(5)
    ids, scores = beam_search(tiny, source, mask, 6, beams=3, length_penalty=0.0)
    assert torch.allclose(log_probability(tiny, source, mask, ids), scores, atol=1e-4)
    assert math.isfinite(scores.sum().item())


@pytest.mark.parametrize(
    "settings",
    [
        {"longest": 0},
        {"longest": 3, "beams": 0},
        {"longest": 3, "beams": 2.5},
        {"longest": 3, "length_penalty": -1.0},
    ],
)
def test_wrong_settings_are_refused_by_name(settings):
    name = list(settings)[-1]
    with pytest.raises(ValueError, match=f"{name}: got"):
        beam_search(model(), *sources(), **settings)
