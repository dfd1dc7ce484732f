"""The explanation lab: each measure is what a loop, scipy or scikit-learn gives; an adversary keeps its promise."""

import sys
from itertools import product
from pathlib import Path

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from scipy.stats import entropy, spearmanr
from sklearn.metrics import roc_auc_score
from torch import nn

from course_utils.attention import scaled_dot
from course_utils.data.clicks import simulate_visits
from course_utils.data.dates import make_dates
from course_utils.data.features import WordFeatures
from course_utils.data.text import Vocabulary, collate
from course_utils.explain.adversary import adversary
from course_utils.explain.agreeing import agreements, finds, same_top
from course_utils.explain.guided import Guided, fit_guided
from course_utils.explain.inputs import leave_one_out, slopes, without_each
from course_utils.explain.known import even_score
from course_utils.explain.moving import apart, even, most, moved, permuted, under_permutation
from course_utils.explain.opened import (
    DIGITS,
    Opened,
    click_chances,
    digit_chances,
    open_classifier,
    open_clicks,
    open_reader,
)
from course_utils.explain.retraining import adversarial_loss, divergence, fit_adversary
from course_utils.models.classifier import Classifier
from course_utils.models.clicks import ClickModel
from course_utils.models.seq2seq import Seq2Seq
from course_utils.train.reports.experiments import experiment

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
import explain as lab

LENGTHS = [4, 2, 6, 3]
MASK = torch.arange(6) < torch.tensor(LENGTHS)[:, None]


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def maps(seed=0):
    return torch.softmax(2 * drawn(4, 6, seed=seed).masked_fill(~MASK, -torch.inf), -1)


def opened(factor=1.0, classes=3):
    head = drawn(5, classes, seed=3)
    return Opened(drawn(4, 6, 5), MASK, maps(), lambda context: (factor * context @ head).log_softmax(-1))


# An attention cut open answers as the whole model does.


@pytest.mark.parametrize("reader", ["plain", "convolution", "gru"])
def test_an_opened_classifier_answers_as_the_whole_one(reader):
    texts = [("who", "is", "it"), ("where", "is", "the", "shop", "?")]
    numbers = WordFeatures(texts, at_least=1).encode(texts)
    torch.manual_seed(0)
    model = Classifier(WordFeatures(texts, at_least=1).sizes, 4, reader, size=8)
    one = open_classifier(model, numbers)
    torch.testing.assert_close(one.under(one.weights), model(numbers)[0].log_softmax(-1))
    torch.testing.assert_close(one.weights, model(numbers)[1])
    with pytest.raises(ValueError, match="model: got the pooling 'mean', expected 'attention'"):
        open_classifier(Classifier([5], 4, reader, "mean", size=8), numbers[..., :1])


def test_an_opened_reader_answers_as_the_whole_one_at_its_digits():
    pairs = make_dates(5, seed=1)
    sources, targets = (Vocabulary(pair[place] for pair in pairs) for place in (0, 1))
    batch = collate(pairs, sources, targets)
    torch.manual_seed(0)
    model = Seq2Seq(len(sources), len(targets), size=8, score=scaled_dot)
    one = open_reader(model, batch)
    logits, weights = model(batch.source, batch.source_mask, batch.target_in)
    assert [pairs[0].target[place].isdigit() for place in DIGITS] == [True] * 8 and len(one.mask) == 40
    for row, (date, place) in enumerate(product(range(5), DIGITS)):
        torch.testing.assert_close(one.under(one.weights)[row], logits[date, place].log_softmax(-1))
        torch.testing.assert_close(one.weights[row], weights[date, place])
        assert one.mask[row].sum() == len(pairs[date].source)
    torch.testing.assert_close(digit_chances(model, batch), one.under(one.weights))
    with pytest.raises(ValueError, match="model: got a reader without attention, expected one with"):
        open_reader(Seq2Seq(len(sources), len(targets), size=8), batch)


@pytest.mark.parametrize("weighing", ["softmax", "sigmoid"])
def test_opened_clicks_answer_as_the_whole_model(weighing):
    visits = simulate_visits(6, torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    model = ClickModel(60, weighing)
    one = open_clicks(model, visits)
    chance = torch.sigmoid(model(visits)[0])
    torch.testing.assert_close(one.under(one.weights).exp(), torch.stack([1 - chance, chance], -1))


def test_an_even_score_makes_even_weights():
    assert not even_score(drawn(2, 3, 4), drawn(2, 5, 4)).any() and even_score(
        drawn(2, 3, 4), drawn(2, 5, 4)
    ).shape == (2, 3, 5)


# Leaving out, and slopes.


def test_without_each_leaves_out_one_place_after_another():
    values = torch.arange(1, 25).reshape(4, 6) * MASK
    for place, (mask, part) in enumerate(without_each(MASK, values)):
        for row, length in enumerate(LENGTHS):
            kept = [value for at, value in enumerate(values[row].tolist()[:length]) if at != place]
            assert part[row][mask[row]].tolist() == kept
    with pytest.raises(ValueError, match="mask: got a gap, expected what is real first"):
        next(without_each(torch.tensor([[True, False, True]]), values[:1, :3]))


def test_leave_one_out_is_what_a_loop_gives():
    head = drawn(3, 4)

    def ask(mask, x):
        return ((x * mask.unsqueeze(-1)).sum(1) @ head).log_softmax(-1)

    x = drawn(4, 6, 3, seed=1)
    found = leave_one_out(ask, MASK, x)
    for row, length in enumerate(LENGTHS):
        whole = (x[row, :length].sum(0) @ head).softmax(-1)
        for place in range(6):
            rest = [at for at in range(length) if at != place]
            less = (x[row, rest].sum(0) @ head).softmax(-1)
            expected = (whole - less).abs().sum() / 2 if place < length else torch.tensor(0.0)
            torch.testing.assert_close(found[row, place], expected)


def test_slopes_are_what_differences_give_and_leave_no_gradient():
    class Small(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.head = nn.Embedding(9, 3), nn.Linear(3, 4)

        def forward(self, ids):
            return torch.tanh(self.embed(ids)).sum(1).unsqueeze(1).mul(torch.tensor([[1.0], [2.0]]))

    torch.manual_seed(0)
    model, ids = Small().double(), torch.tensor([[1, 2, 3], [4, 5, 6]])
    ask = lambda: model.head(model(ids).double()).log_softmax(-1).flatten(0, 1)  # noqa: E731  two rows for each text
    found = slopes(model, model.embed, ask, rows=2)
    assert found.steep.shape == (4, 3) and all(weight.grad is None for weight in model.parameters())
    row, place, step, best = 3, 1, 1e-6, ask()[3].argmax()
    gradient = []
    with torch.no_grad():
        for feature in range(3):
            model.embed.weight[5, feature] += step
            above = ask()[row, best].item()
            model.embed.weight[5, feature] -= 2 * step
            gradient.append((above - ask()[row, best].item()) / (2 * step))
            model.embed.weight[5, feature] += step
    expected = torch.tensor(gradient, dtype=torch.double)
    torch.testing.assert_close(found.steep[row, place], expected.norm(), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(
        found.times[row, place], (expected @ model.embed.weight[5]).abs().detach(), atol=1e-6, rtol=1e-5
    )
    with pytest.raises(ValueError, match="embed: got no vectors of shape"):
        slopes(model, model.head, lambda: model.head(drawn(2, 3).double()))


# Agreement.


def test_agreements_are_scipy_s_and_nan_where_there_is_no_order():
    one, other = maps(1), maps(2).round(decimals=1)
    other[3] = 0.5
    found = agreements(one, other, MASK)
    for row in range(3):
        expected = spearmanr(one[row][MASK[row]].numpy(), other[row][MASK[row]].numpy()).statistic
        assert found[row].item() == pytest.approx(expected)
    assert found[3].isnan()


def test_finds_is_the_auc_and_the_top_is_among_what_is_real():
    values, truth = drawn(4, 6, seed=4), torch.tensor([[True, False, False] * 2] * 4)
    truth[1] = True
    found = finds(values, truth, MASK)
    for row in (0, 2, 3):
        expected = roc_auc_score(truth[row][MASK[row]].int().numpy(), values[row][MASK[row]].numpy())
        assert found[row].item() == pytest.approx(expected)
    assert found[1].isnan()
    values[0, 5] = 99.0  # padding
    other = values.clone()
    other[0, 5] = -99.0
    assert same_top(values, other, MASK).all() and not same_top(values, -values, MASK).any()


def test_the_top_has_the_greatest_truth_among_what_is_real():
    truth, mask = torch.tensor([[0.1, 0.9, 1.0], [0.5, 0.2, 0.5]]), torch.tensor([[True, True, False], [True] * 3])
    assert lab._at_top(torch.tensor([[0.2, 0.8, 0.9], [0.0, 0.1, 0.9]]), truth, mask).tolist() == [True, True]
    assert lab._at_top(torch.tensor([[0.8, 0.2, 0.9], [0.0, 0.9, 0.1]]), truth, mask).tolist() == [False, False]


# Moving weights.


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=25)
def test_permuted_weights_are_the_same_weights_elsewhere(seed):
    weights, kept = maps(seed), maps(seed)
    found = permuted(weights, MASK, torch.Generator().manual_seed(seed))
    assert not found[~MASK].any() and torch.equal(weights, kept)
    for row, real in enumerate(MASK):
        assert sorted(found[row][real].tolist()) == sorted(weights[row][real].tolist())
    flat = even(weights, MASK)
    assert torch.allclose(flat.sum(-1), torch.ones(4)) and torch.allclose(flat[0, :4], torch.full((4,), 0.25))


def test_every_permutation_comes():
    weights, mask = torch.tensor([[0.7, 0.2, 0.1]]).expand(600, 3), torch.ones(600, 3, dtype=torch.bool)
    found = permuted(weights, mask, torch.Generator().manual_seed(0))
    counts = {tuple(row): 0 for row in found.tolist()}
    for row in found.tolist():
        counts[tuple(row)] += 1
    assert len(counts) == 6 and min(counts.values()) > 60


def test_distances_are_half_the_sum_of_differences():
    one, other = maps(1), maps(2)
    expected = [
        sum(abs(a - b) for a, b in zip(x, y, strict=True)) / 2
        for x, y in zip(one.tolist(), other.tolist(), strict=True)
    ]
    assert apart(one, other).tolist() == pytest.approx(expected, abs=1e-6)
    assert moved(one.log(), other.log()).tolist() == pytest.approx(expected, abs=1e-6)
    assert apart(3 * one, other).tolist() == pytest.approx(expected, abs=1e-6)
    assert apart(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])) == 1


def test_no_weights_move_an_answer_further_than_the_farthest_corner_of_two_kinds():
    """With two classes the chance runs one way along the mix, so that the corners are the farthest points."""
    one = opened(classes=2)
    bound = most(one)
    for seed in range(20):
        weights = torch.softmax(4 * drawn(4, 6, seed=seed).masked_fill(~MASK, -torch.inf), -1)
        assert (moved(one.under(one.weights), one.under(weights)) <= bound + 1e-6).all()
    for row, length in enumerate(LENGTHS):
        corners = [
            moved(one.under(one.weights), one.under(torch.eye(6)[place].expand(4, 6)))[row] for place in range(length)
        ]
        torch.testing.assert_close(bound[row], max(corners))
    assert (under_permutation(one, torch.Generator().manual_seed(0)) <= bound + 1e-6).all()


# The adversary.


def test_an_adversary_keeps_its_promise_and_touches_nothing():
    one, head = opened(), nn.Linear(5, 3)
    one = one._replace(answer=lambda context: head(context).log_softmax(-1))
    found = adversary(one, torch.Generator().manual_seed(0), tolerance=0.02, steps=150)
    assert head.weight.grad is None and torch.equal(one.weights, maps())
    assert torch.allclose(found.weights.sum(-1), torch.ones(4)) and not found.weights[~MASK].any()
    torch.testing.assert_close(found.away, apart(found.weights, one.weights))
    with torch.no_grad():
        far = moved(one.under(one.weights), one.under(found.weights))
    torch.testing.assert_close(found.moved, far)
    assert (far <= 0.02).all()


def test_an_adversary_goes_all_the_way_where_the_answer_hears_nothing():
    found = adversary(opened(factor=0.0), torch.Generator().manual_seed(0), steps=150)
    # The search may end on another key than the best, and says so: a distance that was found is possible, no more.
    free = 1 - maps().masked_fill(~MASK, 1.0).amin(-1)  # all on the key that had least
    assert (found.away > 0.8 * free).all() and (found.away <= free + 1e-5).all()


def test_an_adversary_comes_near_what_a_grid_over_three_keys_finds():
    """All weights in steps of a 40th: the farthest that keeps the answer, beside what the gradient finds."""
    values, head = drawn(1, 3, 2, seed=7), drawn(2, 2, seed=8)
    weights = torch.tensor([[0.5, 0.3, 0.2]])
    one = Opened(values, torch.ones(1, 3, dtype=torch.bool), weights, lambda context: (context @ head).log_softmax(-1))
    grid = torch.tensor([(a, b, 40 - a - b) for a in range(41) for b in range(41 - a)]) / 40
    fits = moved(one.answer(weights @ values[0]), one.answer(grid @ values[0])) <= 0.02
    best = apart(grid[fits], weights).max().item()
    found = adversary(one, torch.Generator().manual_seed(0), tolerance=0.02, steps=400).away.item()
    assert 0.2 < best - 0.05 < found < best + 0.06


def test_an_adversary_refuses_weights_without_a_sum_and_settings_out_of_range():
    one = opened()
    with pytest.raises(ValueError, match="opened: got weights that sum to"):
        adversary(one._replace(weights=2 * one.weights), torch.Generator())
    with pytest.raises(ValueError, match="tolerance: got 0, expected a number between 0 and 1"):
        adversary(one, torch.Generator(), tolerance=0)


def test_the_divergence_is_scipy_s_and_the_loss_is_the_papers():
    one, other = torch.softmax(drawn(4, 6), -1), torch.softmax(drawn(4, 6, seed=1), -1)
    assert divergence(one, other).tolist() == pytest.approx(entropy(one.numpy(), other.numpy(), axis=1), abs=1e-4)
    assert not divergence(maps(), maps()).any()
    expected = (apart(one, other) - 0.3 * divergence(maps(), maps(1))).mean()
    torch.testing.assert_close(adversarial_loss(one.log(), maps(), other.log(), maps(1), 0.3), expected)


def test_a_trained_adversary_looks_elsewhere_and_answers_alike():
    """Two keys always say the same: a model may look at either."""
    torch.manual_seed(0)
    word = torch.randint(2, (200,), generator=torch.Generator().manual_seed(0))
    values = torch.eye(2)[word].unsqueeze(1).expand(200, 2, 2)
    model = nn.ModuleDict({"score": nn.Linear(1, 2), "head": nn.Linear(2, 2)})

    def run(rows):
        weights = model["score"](torch.ones(len(rows), 1)).softmax(-1)
        return model["head"]((weights.unsqueeze(1) @ values[rows]).squeeze(1)).log_softmax(-1), weights

    old = (torch.tensor([[0.9, 0.1], [0.1, 0.9]])[word].log(), torch.tensor([[0.95, 0.05]]).expand(200, 2))
    fit_adversary(model, run, old, 0.05, steps=200, learning_rate=0.05)
    chances, weights = run(torch.arange(200))
    assert moved(chances, old[0]).max() < 0.1 and apart(weights, old[1]).min() > 0.7


# Words without context, given a map.


def test_a_guided_model_hears_only_what_has_weight_and_knows_no_order():
    torch.manual_seed(0)
    model, numbers = Guided([9, 7], 3, size=8).eval(), torch.randint(1, 7, (2, 4, 2))
    weights = torch.eye(4)[:2]
    expected = model(numbers[torch.arange(2), torch.arange(2)].unsqueeze(1), torch.ones(2, 1))
    torch.testing.assert_close(model(numbers, weights), expected)
    order = torch.tensor([2, 0, 3, 1])
    some = torch.softmax(drawn(2, 4), -1)
    torch.testing.assert_close(model(numbers[:, order], some[:, order]), model(numbers, some))


def test_a_map_that_points_teaches_what_an_even_one_cannot():
    """The class is a word at a random place, among words of the same kind: only the map says which."""
    generator = torch.Generator().manual_seed(0)
    numbers = torch.randint(1, 4, (300, 6, 1), generator=generator)
    place = torch.randint(6, (300,), generator=generator)
    classes, right = numbers[torch.arange(300), place, 0] - 1, {}
    for name, weights in {"points": torch.eye(6)[place], "even": torch.full((300, 6), 1 / 6)}.items():
        torch.manual_seed(0)
        model = Guided([4], 3, size=8, dropout=0.0)
        fit_guided(model, numbers, weights, classes, steps=150, learning_rate=0.02)
        right[name] = (model(numbers, weights).argmax(-1) == classes).float().mean().item()
    assert right["points"] > 0.95 > 0.8 > right["even"]


def test_chances_of_clicks():
    logits = torch.tensor([-200.0, 0.0, 1.5])
    torch.testing.assert_close(click_chances(logits)[1:, 1].exp(), torch.sigmoid(logits[1:]))
    assert click_chances(logits).isfinite().all()


# What is stored.


@pytest.mark.parametrize("name", sorted(experiment("explain")["systems"]))
def test_the_stored_lab_has_three_seeds_and_its_controls_hold(name):
    row = experiment("explain")["systems"][name]
    assert len(row["look"]) == 3 and {len(runs) for runs in row.get("whole", {}).values()} <= {3}
    for run in row["look"]:
        assert abs(run["ranks"]["weights / chance"]) < 0.05 < min(run["permuted"], run["even"]) < run["most"]
        if name != "clicks, sigmoid":
            assert run["adversary"]["moved"] <= 0.01 and run["adversary"]["mean"] > 0.3
        if "truth" in run:
            luck = 0.5 if name == "dates" else 0.0
            assert (
                abs(run["truth"]["chance"] - luck) < 0.05
                and min(run["truth"]["weights"], run["truth"]["gradient"]) > luck + 0.2
            )
