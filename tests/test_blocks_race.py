"""The scripts of lesson 11's tables: equal layers run against each other, and an ablation takes away what it says."""

import math
import sys
from pathlib import Path

import pytest
import torch

from course_utils.data.text import Pair
from course_utils.data.translation import Sentence, Splits
from course_utils.train.reports.experiments import experiment

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
import ablations
import blocks
import warmups

WORDS = ["je", "tu", "il", "elle", "nous", "vous"]
PAIRS = [Pair((one, other, "."), (other.upper(), one.upper(), ".")) for one in WORDS for other in WORDS]
DATA = Splits(PAIRS, PAIRS[:4], [Sentence(PAIRS[5].source, (PAIRS[5].target,))], [])
PREPARED = ablations.prepare(DATA)
PARAMETERS = {name: sum(map(torch.numel, ablations.make(name, *PREPARED[1:3], 0).parameters()))
              for name in ablations.CONTESTANTS}  # fmt: skip


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_both_layers_compute_the_same_and_the_halves_make_the_whole(norm):
    entered = blocks.contestants(norm)
    x = torch.randn(1, 80, blocks.SIZE)
    ours = entered[blocks.OURS](x)
    assert (ours - entered[blocks.THEIRS](x)).abs().max() < 1e-4
    assert (entered[blocks.FEED](entered[blocks.ATTENTION](x)) - ours).abs().max() < 1e-4


def test_pytorch_counts_the_multiplications_that_are_predicted():
    entered = blocks.contestants()
    for name, expected in blocks.predicted(96).items():
        assert blocks.counted(entered[name], 96) == expected


def test_times_are_taken_of_all_in_every_round():
    found = blocks.times(8, 3, "post")
    assert {len(values) for values in found.values()} == {3} and len(found) == 4
    assert blocks.ratio({"a": [2.0, 4.0, 9.0], "b": [1.0, 2.0, 3.0]}, "a", "b") == 2.0


def test_an_ablation_takes_away_what_it_says():
    _, french, english, _ = PREPARED
    model = {name: ablations.make(name, french, english, 0).eval() for name in ablations.CONTESTANTS}
    x = 5 * torch.randn(2, 4, 64)
    # Without residual a block that says nothing gives nothing; with it, what came in.
    for name, gives in (("whole", x), ("without residual", torch.zeros_like(x))):
        block = model[name].encoder.blocks[0]
        for layer in (block.attention.project_output, block.feed.narrow):
            torch.nn.init.zeros_(layer.weight)
            torch.nn.init.zeros_(layer.bias)
        assert torch.equal(block(x), gives), name
    assert not any(isinstance(part, torch.nn.LayerNorm) for part in model["without norm"].modules())
    block = model["without feed-forward"].encoder.blocks[0]
    alone = block.around_attention(x, lambda y: block.attention(y, y, y)[0])
    assert torch.allclose(block(x), alone, atol=1e-5)
    assert model["one head"].encoder.blocks[0].attention.heads == 1
    source = torch.tensor([[4, 5, 6]])
    mask = torch.ones(1, 1, 3, dtype=torch.bool)
    states = model["without positions"].encode(source, mask).states
    turned = model["without positions"].encode(source.flip(1), mask).states.flip(1)
    assert torch.allclose(states, turned, atol=1e-5)
    assert PARAMETERS["one head"] == PARAMETERS["without residual"] == PARAMETERS["without positions"]
    assert PARAMETERS["without feed-forward"] < PARAMETERS["whole"] > PARAMETERS["without norm"]


def test_every_contestant_learns_something_and_a_seed_gives_the_same():
    pairs, french, english, apart = PREPARED
    held_out = ablations.Buckets(apart["dev"], french, english, 100)
    found = []
    for _ in range(2):
        model = ablations.make("whole", french, english, 1)
        before = ablations.loss_on(model, held_out)
        assert ablations.train(model, ablations.Buckets(pairs, french, english, 60), 20, 3e-3) > 0
        found.append(ablations.loss_on(model, held_out))
    assert found[0] == found[1] < before and math.isfinite(before)


def test_the_best_rate_always_has_a_worse_one_on_each_side():
    tried = ablations.choose(lambda rate: abs(math.log(rate / 1e-4)))
    assert list(tried) == sorted(tried) and min(tried, key=tried.get) == pytest.approx(1e-3 / 9)
    assert min(tried) == pytest.approx(1e-3 / 27)
    assert list(ablations.choose(lambda rate: abs(rate - 3e-3))) == list(ablations.RATES)


def test_a_contestant_gets_the_warmup_and_the_rate_that_are_best_on_dev(monkeypatch):
    tried, measured = [], []

    def learn(model, seed, rate, share):
        tried.append((seed, rate, share))
        if rate > 5e-3 and share > 0.3:
            raise ValueError("loss: got nan")
        return 1.0

    def loss_on(model, questions):
        measured.append(questions)
        return abs(math.log(tried[-1][1] / 3e-3)) + abs(tried[-1][2] - 0.5)

    monkeypatch.setattr(ablations, "loss_on", loss_on)
    found = ablations.compete(lambda seed: torch.nn.Linear(1, 1), learn, {"dev": "dev", "test": "test"})
    assert (found["warmup"], found["rate"], found["test"]) == (0.5, 3e-3, [0.0, 0.0, 0.0])
    assert [seed for seed, *how in tried if how == [3e-3, 0.5]] == [ablations.CHOOSING, *ablations.SEEDS]
    assert measured.count("test") == 3 and measured[-3:] == ["test"] * 3


def test_only_a_loss_that_is_no_number_counts_as_too_high_a_rate():
    def learn(model, seed, rate, share):
        raise ValueError("rate: got 12, expected at most 10")

    with pytest.raises(ValueError, match="at most 10"):
        ablations.compete(lambda seed: torch.nn.Linear(1, 1), learn, {})


def losses(tried):
    """The dev loss at each rate; None stands where training ended in nan."""
    return {float(rate): math.inf if loss is None else loss for rate, loss in tried.items()}


def best_inside(name, found, share):
    rates = losses(found["dev"][f"{share:g}"])
    assert found["rate"] == pytest.approx(min(rates, key=rates.get), rel=1e-4), name
    assert min(rates) < found["rate"] < max(rates) and len(found["test"]) == 3, name


def test_in_the_stored_report_every_contestant_has_its_best_rate_inside_the_rates_tried():
    contestants = experiment("ablations")["contestants"]
    assert list(contestants) == list(ablations.CONTESTANTS)
    for name, found in contestants.items():
        best_inside(name, found, found["warmup"])
        assert {float(share) for share in found["dev"]} == set(ablations.SHARES), name
        least = {share: min(losses(rates).values()) for share, rates in found["dev"].items()}
        assert float(min(least, key=least.get)) == found["warmup"], name


def test_in_the_stored_report_of_warmups_both_orders_have_every_share():
    for norm, found in experiment("warmups")["runs"]["300"].items():
        assert [float(share) for share in found] == list(warmups.SHARES), norm
        for share, one in found.items():
            best_inside(f"{norm} {share}", one, float(share))
