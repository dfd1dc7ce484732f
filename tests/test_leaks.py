"""leaks: the detector finds what a mask should have hidden, in both modes, and disturbs nothing."""

import pytest
import torch
from torch import nn

from course_utils.attention.masks import causal_mask, padding_mask
from course_utils.attention.modules import SelfAttention
from course_utils.contract.leaks import influence, leaks


class Reader(nn.Module):
    def __init__(self, size=4, training=True, evaluation=True, dropout=0.0):
        super().__init__()
        self.attention, self.dropout = SelfAttention(size), nn.Dropout(dropout)
        self.causal = {True: training, False: evaluation}

    def forward(self, x):
        mask = causal_mask(x.shape[-2]) if self.causal[self.training] else None
        return self.dropout(self.attention(x, mask)[0])


@pytest.fixture
def inputs():
    torch.manual_seed(0)
    return torch.randn(2, 5, 4), torch.randn(2, 5, 4)


FUTURE = [(output, place) for output in range(5) for place in range(output + 1, 5)]


@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize(("training", "evaluation"), [(True, True), (True, False), (False, True), (False, False)])
def test_it_finds_the_future_in_the_mode_that_shows_it(inputs, training, evaluation, dropout):
    found = leaks(Reader(4, training, evaluation, dropout), *inputs, causal_mask(5))
    if not dropout:
        assert found == {"training": [] if training else FUTURE, "evaluation": [] if evaluation else FUTURE}
    assert bool(found["training"]) == (not training) and bool(found["evaluation"]) == (not evaluation)


def test_influence_is_a_map_of_who_depends_on_whom(inputs):
    moved = influence(Reader(4).eval(), *inputs)
    assert torch.equal(moved > 1e-4, causal_mask(5))


def test_it_finds_padding(inputs):
    attention, seen = SelfAttention(4), padding_mask(torch.tensor([3, 3]), 5)
    forgetful = influence(lambda x: attention(x)[0], *inputs)
    careful = influence(lambda x: attention(x, seen)[0], *inputs)
    assert (forgetful[:3, 3:] > 1e-4).all() and (careful[:3, 3:] == 0).all()


def test_it_reads_token_numbers_too():
    table = nn.Embedding(10, 4)
    source = torch.randint(0, 10, (3, 5), generator=torch.Generator().manual_seed(0))
    moved = influence(table, source, (source + 1) % 10)
    assert torch.equal(moved > 1e-4, torch.eye(5, dtype=torch.bool))


def test_what_is_not_finite_counts_as_moved(inputs):
    moved = influence(lambda x: x + torch.tensor(float("nan")), *inputs)
    assert moved.isinf().all()


def test_mode_and_random_state_stay(inputs):
    model = Reader(dropout=0.5)
    model.dropout.eval()
    before = torch.get_rng_state()
    leaks(model, *inputs, causal_mask(5))
    assert model.training and not model.dropout.training
    assert torch.equal(before, torch.get_rng_state())


def test_bad_input_is_named(inputs):
    source, other = inputs
    with pytest.raises(ValueError, match="^other: got shape"):
        influence(lambda x: x, source, other[:, :2])
    with pytest.raises(ValueError, match="^other: got at place 1 what source has"):
        influence(lambda x: x, source, torch.cat([other[:, :1], source[:, 1:2], other[:, 2:]], dim=1))
    with pytest.raises(ValueError, match="^allowed: got"):
        leaks(Reader(), source, other, torch.ones(5, 4, dtype=torch.bool))
