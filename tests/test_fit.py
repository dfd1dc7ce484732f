"""The training loop: it descends, it repeats, it leaves modes as they were, and it refuses what cannot work."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_utils.train.fit import fit, fit_rows, rate

INPUTS = torch.randn(32, 3, generator=torch.Generator().manual_seed(1))
TARGETS = INPUTS @ torch.tensor([[1.0], [-2.0], [0.5]]) + 3


def line(seed=0):
    torch.manual_seed(seed)
    return nn.Linear(3, 1)


def train(model, steps=300, **settings):
    return fit(model, lambda step: F.mse_loss(model(INPUTS), TARGETS), steps, **{"learning_rate": 0.1} | settings)


def test_it_learns_and_returns_the_loss_of_every_step():
    losses = train(line())
    assert len(losses) == 300 and all(isinstance(loss, float) for loss in losses)
    assert losses[-1] < 1e-3 < losses[0]


def test_the_same_start_gives_the_same_result_and_nothing_random_is_drawn():
    one, two = line(), line()
    before = torch.get_rng_state()
    assert train(one, 20) == train(two, 20)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one.weight, two.weight)


def test_without_warm_up_clipping_and_decay_it_is_adam_by_hand():
    model, twin = line(), line()
    train(model, 1, warmup=0.0, clip=math.inf, weight_decay=0.0)
    loss = F.mse_loss(twin(INPUTS), TARGETS)
    loss.backward()
    step = 0.1 * twin.weight.grad / (twin.weight.grad.abs() + 1e-8)  # Adam's first step is the gradient's sign
    assert torch.allclose(model.weight, twin.weight - step, atol=1e-6)


def test_the_rate_rises_then_falls_and_never_reaches_zero():
    rates = [rate(step, 100, 0.1) for step in range(100)]
    assert rates[0] == pytest.approx(0.1) and max(rates) == rates[9] == 1.0
    assert all(a < b for a, b in zip(rates[:9], rates[1:10], strict=True))
    assert all(a > b for a, b in zip(rates[9:], rates[10:], strict=False))
    assert 0 < rates[-1] < 0.01
    assert rate(0, 1) == rate(0, 3, 0.0) == 1.0 and rate(2, 3, 1.0) == 1.0


@pytest.mark.parametrize(("steps", "warmup"), [(1, 0.1), (7, 0.0), (40, 0.3), (400, 0.1), (5, 1.0)])
def test_the_rate_is_that_of_pytorch_s_schedulers(steps, warmup):
    rise = max(1, round(warmup * steps))
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = torch.optim.lr_scheduler.SequentialLR(
        optimizer,
        [
            torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=1 / rise, total_iters=rise - 1),
            torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps + 1 - rise),
        ],
        milestones=[rise - 1],
    )
    expected = []
    for _ in range(steps):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()
    assert [rate(step, steps, warmup) for step in range(steps)] == pytest.approx(expected)


def test_clipping_limits_the_step_that_plain_numbers_would_take():
    model = line()
    seen = []
    model.weight.register_hook(lambda grad: seen.append(grad.norm()))
    huge = lambda step: 1e6 * F.mse_loss(model(INPUTS), TARGETS)  # noqa: E731
    fit(model, huge, 1, clip=1.0)
    assert seen[0] > 1e5 and torch.cat([model.weight.grad.flatten(), model.bias.grad]).norm() <= 1.001


def test_every_module_gets_its_own_mode_back_even_after_an_error():
    model = nn.Sequential(nn.Linear(3, 1), nn.Dropout())
    model.eval()
    model[1].train()
    modes = []

    def loss(step):
        modes.append([module.training for module in model.modules()])
        model.eval()  # as a measurement in between would do
        if step == 2:
            raise KeyboardInterrupt
        return model(INPUTS).square().mean()

    with pytest.raises(KeyboardInterrupt):
        fit(model, loss, 5)
    assert modes == [[True, True, True]] * 3
    assert [module.training for module in model.modules()] == [False, False, True]


def test_frozen_parameters_stay():
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 1))
    model[0].requires_grad_(False)
    before = model[0].weight.clone()
    fit(model, lambda step: F.mse_loss(model(INPUTS), TARGETS), 3)
    assert torch.equal(model[0].weight, before)


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"steps": 0}, "steps"),
        ({"steps": 2.5}, "steps"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"warmup": 1.5}, "warmup"),
        ({"clip": 0}, "clip"),
    ],
)
def test_settings_out_of_range_are_named(settings, word):
    with pytest.raises(ValueError, match=f"{word}: got"):
        train(line(), **settings)


@pytest.mark.parametrize("bad", [lambda x: x, lambda x: x.mean().item(), lambda x: x.mean() * math.nan])
def test_a_loss_that_is_not_one_finite_number_is_refused(bad):
    model = line()
    with pytest.raises(ValueError, match="loss: got"):
        fit(model, lambda step: bad(model(INPUTS)), 2)


def test_a_model_with_nothing_to_train_is_refused():
    with pytest.raises(ValueError, match="model: got"):
        fit(nn.ReLU(), lambda step: torch.zeros(()), 1)


def test_no_progress_bar_where_nobody_looks(capsys, monkeypatch):
    train(line(), 2)
    monkeypatch.setenv("ATTENTION_COURSE_PROGRESS", "0")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    train(line(), 2)
    written = capsys.readouterr()
    assert written.out == written.err == ""


def test_a_progress_bar_for_people_leaves_nothing_behind(capsys, monkeypatch):
    monkeypatch.delenv("ATTENTION_COURSE_PROGRESS", raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    train(line(), 2, label="line")
    assert "line" in (out := capsys.readouterr().out) and not out.endswith("\n")


@pytest.mark.parametrize("seed", [0, 3])
def test_fit_rows_draws_by_its_seed_and_equals_a_loop_over_fit(seed):
    inputs, wanted = torch.randn(20, 3), torch.randn(20, 1)

    def trained(train):
        torch.manual_seed(1)
        model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.0), nn.Linear(4, 1))
        return model, train(model)

    def loss_on(model, rows):
        return F.mse_loss(model(inputs[rows]), wanted[rows])

    def by_fit(model):
        generator = torch.Generator().manual_seed(seed)
        drawn = [torch.randint(20, (5,), generator=generator) for _ in range(6)]
        return fit(model, lambda step: loss_on(model, drawn[step]), 6, 1e-2)

    _, expected = trained(by_fit)
    model, found = trained(lambda model: fit_rows(model, lambda rows: loss_on(model, rows), 20, 6, 1e-2, 5, seed))
    assert found == expected and not any(part.training for part in model.modules())
    with pytest.raises(ValueError, match="batch: got 0"):
        fit_rows(model, lambda rows: loss_on(model, rows), 20, 6, 1e-2, 0)
