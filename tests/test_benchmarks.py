"""The benchmark runs and measures the same thing for all; no time is asserted here, for machines are busy."""

import math
import sys
from pathlib import Path

import pytest
import torch

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
import decoder_race as race  # noqa: E402  the folder is no package
import step_by_step  # noqa: E402
import time_and_memory as benchmark  # noqa: E402

from course_utils.attention.scores import Additive  # noqa: E402
from course_utils.data.buckets import Buckets  # noqa: E402
from course_utils.data.text import PAD, Pair, Vocabulary, collate  # noqa: E402
from course_utils.models.seq2seq import Global, Seq2Seq, token_loss  # noqa: E402


@pytest.mark.parametrize("mode", ["forward", "training"])
def test_all_contestants_compute_the_same(mode):
    x = torch.randn(1, 12, benchmark.SIZE)
    entered = benchmark.contestants(torch.device("cpu"))
    with torch.set_grad_enabled(mode == "training"):
        for attention in entered.values():
            benchmark.set_mode(attention, mode)
        outputs = {name: attention(x) for name, attention in entered.items()}
    expected = outputs.pop(benchmark.WITHOUT)
    for name, output in outputs.items():
        torch.testing.assert_close(output, expected, atol=1e-5, rtol=1e-4, msg=name)


def test_modules_are_really_switched():
    for attention in benchmark.contestants(torch.device("cpu")).values():
        modules = [cell.cell_contents for cell in attention.__closure__]
        modules = [module for module in modules if isinstance(module, torch.nn.Module)]
        for mode in ("forward", "training"):
            benchmark.set_mode(attention, mode)
            assert modules and all(module.training == (mode == "training") for module in modules)


def test_ratios_compare_like_with_like():
    found = {benchmark.WITHOUT: [2.0, 4.0, 6.0], benchmark.WITH: [10.0, 10.0, 10.0], "ours": [1.0, 1.0, 2.0]}
    assert benchmark.ratio(found, "ours") == 3.0
    assert benchmark.ratio({**found, "ours with weights": [5.0, 10.0, 2.0]}, "ours with weights") == 2.0


@pytest.mark.parametrize("mode", ["forward", "training"])
def test_every_contestant_is_timed_in_every_round(mode):
    found = benchmark.times(8, mode, 2, torch.device("cpu"))
    assert {len(seconds) for seconds in found.values()} == {2}
    assert all(second > 0 for seconds in found.values() for second in seconds)


def test_the_readable_form_keeps_a_matrix_that_ours_does_not():
    """Each in a fresh process, at a length where a matrix of weights (32 MB) stands out from what else is allocated."""
    length, cpu = 1024, torch.device("cpu")
    matrix = benchmark.HEADS * length**2 * 4 / 2**20
    naive, ours = (benchmark.in_fresh_process(name, length, "forward", cpu) for name in ("naive", "ours"))
    if math.isnan(naive):
        pytest.skip("this system does not say how much memory a process has held")
    assert naive > 1.5 * matrix  # scores and weights
    assert ours < matrix


def test_the_command_prints_a_line_for_each(monkeypatch, capsys):
    monkeypatch.setattr(benchmark, "in_fresh_process", lambda name, *rest: 12.5)
    monkeypatch.setattr(sys, "argv", ["time_and_memory.py", "--lengths", "8", "--modes", "forward", "--rounds", "1"])
    benchmark.main()
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("forward")]
    assert len(lines) == len(benchmark.contestants(torch.device("cpu")))
    assert all(line.endswith("12.5") for line in lines)


WORDS = [("knight", "N AY T"), ("a", "AH"), ("write", "R AY T"), ("tough", "T AH F"), ("ant", "AE N T")]
PAIRS = [Pair(spelling, tuple(sounds.split())) for spelling, sounds in WORDS]


@pytest.fixture
def data():
    sources, targets = Vocabulary([pair.source for pair in PAIRS]), Vocabulary([pair.target for pair in PAIRS])
    return race.Data(PAIRS * 9, PAIRS, sources, targets)


@pytest.fixture
def batch(data):
    return collate(PAIRS, data.sources, data.targets)


def test_the_loop_attends_as_ours_does(batch):
    loop = step_by_step.StepByStep(20, 20, 8)
    score = Additive(8, 8, 8)
    with torch.no_grad():
        score.linear.weight.copy_(torch.cat([loop.for_query.weight, loop.for_key.weight], dim=1))
        score.linear.bias.copy_(loop.for_key.bias)
        score.v.weight.copy_(loop.v.weight)
    states, _ = loop.encode(batch.source, batch.source_mask)
    query = torch.randn(len(PAIRS), 1, 8)
    context, _ = Global(score)(query, states, batch.source_mask)
    torch.testing.assert_close(loop.attend(query, loop.for_key(states), states, batch.source_mask), context)


def test_the_loop_steps_as_a_whole_recurrent_net_runs(batch):
    loop = step_by_step.StepByStep(20, 20, 8)
    loop.attend = lambda query, *rest: torch.zeros_like(query)  # then nothing keeps it from running in one go
    _, state = loop.encode(batch.source, batch.source_mask)
    embedded = loop.embed_target(batch.target_in)
    whole, _ = loop.write(torch.cat([embedded, torch.zeros_like(embedded)], dim=-1), state)
    logits = loop(batch.source, batch.source_mask, batch.target_in)
    torch.testing.assert_close(logits, loop.project(whole))


def test_both_forms_of_the_loop_compute_the_same(batch):
    one, other = step_by_step.StepByStep(20, 20, 8), step_by_step.AsTaught(20, 20, 8)
    other.load_state_dict(one.state_dict())
    given = batch.source, batch.source_mask, batch.target_in
    torch.testing.assert_close(one(*given), other(*given))


@pytest.mark.parametrize("name", ["loop", "additive"])
def test_padding_changes_no_loss_and_counts_no_token(name, data, batch):
    model = race.makers(data)[name]()
    loss = token_loss if isinstance(model, Seq2Seq) else step_by_step.loop_loss
    alone = [loss(model, collate([pair], data.sources, data.targets)) for pair in PAIRS]
    total, number = loss(model, batch)
    torch.testing.assert_close(total, sum(one for one, _ in alone))
    assert number == sum(one for _, one in alone) == sum(len(pair.target) + 1 for pair in PAIRS)


def test_padded_batches_hold_every_pair_once(data, batch):
    padded = step_by_step.Padded(PAIRS, data.sources, data.targets, 2)
    found = list(padded.epoch(3))
    assert [len(one.source) for one in found] == [2, 2, 1]
    assert sum(int((one.target_out != PAD).sum()) for one in found) == int((batch.target_out != PAD).sum())
    assert torch.equal(found[0].source, next(padded.epoch(3)).source)
    whole = next(padded.with_rows(5).epoch(0))
    by_source = {tuple(data.sources.encode(pair.source)): pair for pair in PAIRS}
    order = [by_source[tuple(row[row != PAD].tolist())] for row in whole.source]
    again = collate(order, data.sources, data.targets)
    for name in ("source", "source_mask", "source_lengths", "target_in", "target_out"):
        assert torch.equal(getattr(whole, name), getattr(again, name)), name


def test_rows_of_one_length_leave_the_buckets_alone(data):
    buckets = Buckets(data.train, data.sources, data.targets, 1000)
    few = race.rows_of_one_length(buckets, 4)
    assert all(len(one.source) <= 4 for one in few.epoch(0))
    assert max(len(one.source) for one in buckets.epoch(0)) > 4


def test_every_contestant_learns_the_same_pairs(data):
    make = race.makers(data)
    for name, (model, recipe) in race.contestants(data).items():
        assert sum(int((one.target_out != PAD).sum()) for one in recipe.batches.epoch(0)) == 9 * 18, name
        run = race.Run(make[model], recipe)
        assert run.train(0.0) > 0 and run.seconds > 0, name


def test_held_out_loss_is_the_mean_over_tokens(data, batch):
    run = race.Run(race.makers(data)["loop"], race.Recipe(Buckets(PAIRS, data.sources, data.targets)))
    total, number = step_by_step.loop_loss(run.model, batch)
    halves = [collate(part, data.sources, data.targets) for part in (PAIRS[:1], PAIRS[1:])]
    assert race.held_out_loss(run, halves) == pytest.approx(total.item() / number, rel=1e-5)


def test_time_to_a_loss_is_the_first_of_all_runs():
    curves = [[(1.0, 3.0), (2.0, 1.0)], [(1.5, 2.0), (9.0, 0.5)]]
    assert race.time_to(curves, 2.0) == 1.5
    assert race.time_to(curves, 1.0) == 2.0
    assert race.time_to(curves, 0.1) == math.inf


def test_ratios_of_speed_are_taken_round_by_round():
    found = {"loop, 32": [1.0, 2.0, 4.0], "ours": [3.0, 2.0, 8.0], "loop, 1000 tokens": [9.0, 9.0, 9.0]}
    assert race.ratio(found, "ours", "loop, 32") == 2.0
    assert race.fastest(found, "loop", tokens=False) == "loop, 32"
    assert race.fastest(found, "loop") == "loop, 1000 tokens"


def test_the_race_prints_its_tables(monkeypatch, capsys, data):
    monkeypatch.setattr(race, "load", lambda task, number: data)
    monkeypatch.setattr(sys, "argv", ["decoder_race.py", "--slice", "0.01", "--rounds", "1", "--train", "0.3"])
    race.main()
    printed = capsys.readouterr().out
    assert "best settings of each" in printed and "held-out loss" in printed
    assert all(name in printed for name in race.contestants(data))
    assert len([line for line in printed.splitlines() if "of its time" in line]) == 2
