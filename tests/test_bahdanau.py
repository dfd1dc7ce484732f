"""Bahdanau's order equals a plain loop, hides padding, and has the interface of the other encoder-decoder."""

import pytest
import torch

from course_utils.attention import scaled_dot
from course_utils.attention.masks import padding_mask
from course_utils.models.bahdanau import Bahdanau

LENGTHS = torch.tensor([5, 3, 1, 4])


def draw():
    generator = torch.Generator().manual_seed(1)
    mask = padding_mask(LENGTHS)
    source = torch.randint(4, 11, (4, 5), generator=generator).masked_fill(~mask[:, 0], 0)
    return source, mask, torch.randint(4, 7, (4, 6), generator=generator)


@pytest.fixture(params=["gru", "lstm"])
def model(request):
    torch.manual_seed(0)
    return Bahdanau(11, 7, size=8, cell=request.param, embedding=6)


def by_hand(model, states, state, target):
    """One row, without padding, one step at a time, with the additive score and the GRU cell written out."""
    score, cell = model.attention.score, model.write
    features = []
    for token in target:
        pairs = torch.stack([torch.cat([state, key]) for key in states])
        weights = score.v(torch.tanh(pairs @ score.linear.weight.T + score.linear.bias)).squeeze(-1).softmax(0)
        context = (weights[:, None] * states).sum(0)
        x = torch.cat([model.embed(token), context])
        reset_x, update_x, new_x = (cell.weight_ih_l0 @ x + cell.bias_ih_l0).chunk(3)
        reset_h, update_h, new_h = (cell.weight_hh_l0 @ state + cell.bias_hh_l0).chunk(3)
        reset, update = torch.sigmoid(reset_x + reset_h), torch.sigmoid(update_x + update_h)
        state = (1 - update) * torch.tanh(new_x + reset * new_h) + update * state
        features.append(torch.tanh(model.join(torch.cat([context, state]))))
    return model.project(torch.stack(features))


def test_it_equals_a_plain_loop():
    torch.manual_seed(0)
    model = Bahdanau(11, 7, size=8, embedding=6)
    source, mask, target = draw()
    logits, _ = model(source, mask, target)
    memory = model.encode(source, mask)
    for row, length in enumerate(LENGTHS.tolist()):
        expected = by_hand(model, memory.states[row, :length], memory.last[row], target[row])
        assert torch.allclose(logits[row], expected, atol=1e-5)


def test_padding_gets_no_weight_and_rows_sum_to_one(model):
    source, mask, target = draw()
    logits, weights = model(source, mask, target)
    assert weights.shape == (4, 6, 5) and torch.allclose(weights.sum(-1), torch.ones(4, 6))
    assert (weights.masked_select(~mask.expand_as(weights)) == 0).all()
    for row, length in enumerate(LENGTHS.tolist()):
        alone, _ = model(source[row : row + 1, :length], mask[row : row + 1, :, :length], target[row : row + 1])
        assert torch.allclose(alone[0], logits[row], atol=1e-5)


def test_a_context_changes_later_queries():
    torch.manual_seed(0)
    model = Bahdanau(11, 7, size=8, score=scaled_dot)
    source, mask, target = draw()
    memory = model.encode(source, mask)
    before = model.decode(memory, target, memory.last)[1]
    with torch.no_grad():
        model.write.weight_ih_l0[:, 8:] += 1.0  # the context's part of the cell's input
    after = model.decode(memory, target, memory.last)[1]
    assert torch.equal(before[:, 0], after[:, 0]) and not torch.allclose(before[:, 1], after[:, 1])


def test_all_at_once_equals_one_at_a_time(model):
    source, mask, target = draw()
    memory = model.encode(source, mask)
    logits, weights, end = model.decode(memory, target, memory.last)
    state = memory.last
    for place in range(target.shape[1]):
        one, looked, state = model.decode(memory, target[:, place : place + 1], state, first=place)
        assert torch.allclose(one[:, 0], logits[:, place], atol=1e-6)
        assert torch.allclose(looked[:, 0], weights[:, place], atol=1e-6)
    assert torch.allclose(state, end, atol=1e-6) and state.shape == memory.last.shape


def test_greedy_and_gradients_work(model):
    source, mask, target = draw()
    ids, weights = model.greedy(source, mask, 4)
    assert ids.shape[0] == 4 and weights.shape[:2] == ids.shape
    model(source, mask, target)[0].square().sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in model.parameters())


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match="size: got 7"):
        Bahdanau(11, 7, size=7)
    with pytest.raises(ValueError, match="cell: got 'rnn'"):
        Bahdanau(11, 7, size=8, cell="rnn")
