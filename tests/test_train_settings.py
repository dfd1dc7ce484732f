"""The settings of a long run: what they may be, and the command line that follows from them; and how train/ reads."""

import ast
import json
import re
from dataclasses import MISSING, asdict, fields
from itertools import pairwise
from math import inf, nan

import pytest
import torch
from installation import ROOT

from course_utils.models.blocks import NORMS
from course_utils.models.places import POSITIONS
from course_utils.train import reports
from course_utils.train.command import main, parser
from course_utils.train.options import kind
from course_utils.train.schedule import Budget, rate_at
from course_utils.train.settings import (
    ATTENTIONS,
    MODELS,
    RECIPES,
    TASKS,
    TRANSFORMERS,
    Settings,
    changed,
    difference,
    recipe,
    restored,
)
from course_utils.train.tasks import make_attention

TRAIN = ROOT / "course_utils" / "train"
SETTINGS = {one.name: one for one in fields(Settings)}


# ---- the order of reading ----


def neighbours(text):
    """The files of train/ that a file of it imports, inside functions too."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module == "course_utils.train":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("course_utils.train."):
            yield node.module.split(".")[2]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
        elif isinstance(node, ast.Import):
            yield from (one.name.split(".")[2] for one in node.names if one.name.startswith("course_utils.train."))


def test_each_file_imports_only_files_that_stand_before_it_in_the_floor_plan():
    plan = re.findall(r"^    (\w+)  ", (TRAIN / "__init__.py").read_text(encoding="utf-8"), re.MULTILINE)
    paths = {path.stem: path for path in TRAIN.glob("*.py") if not path.stem.startswith("__")}
    paths |= {path.parent.name: path for path in TRAIN.glob("*/__init__.py")}
    assert sorted(plan) == sorted(paths), "the floor plan names every file once"
    for place, name in enumerate(plan):
        behind = set(neighbours(paths[name].read_text(encoding="utf-8"))) - set(plan[:place])
        assert not behind, f"{name} imports {behind}, which stands behind it"


def test_an_import_is_seen_wherever_it_stands():
    text = "import course_utils.train.fit\ndef f():\n    from course_utils.train import bars\n"
    text += "class A:\n    from course_utils.train.run import long_run"
    assert sorted(neighbours(text)) == ["bars", "fit", "run"]


# ---- what a setting may be ----

WHOLE = ("steps", "epochs", "embedding", "hidden", "batch_tokens", "at_least", "reach", "beams", "subset")
WHOLE += ("heads", "layers", "decoder_layers")
MAY_BE_NONE = {"minutes", "steps", "epochs", "hidden", "subset", "path", "decoder_layers"}
GOOD_AND_BAD = {
    "task": (TASKS, ("poems", "", None, 1)),
    "model": (MODELS, ("gru", "", None, 1)),
    "clock": (("wall", "cpu"), ("sun", None)),
    "positions": (POSITIONS, ("ALiBi", "", None)),
    "norm": (NORMS, ("post-norm", None)),
    "minutes": ((1e-6, 0.5, 3, 1e6), (0, 0.0, -1, nan, inf, "1", True)),
    "attention": (ATTENTIONS, ("hard", "Dot", None, 0)),
    "cell": (("gru", "lstm"), ("rnn", None)),
    "size": ((2, 256), (0, -2, 7, 8.0, "8", None, True)),
    "dropout": ((0, 0.0, 0.99), (1.0, -0.1, nan, None, False)),
    "tied": ((True, False), (1, 0, "yes", None)),
    "rate": ((1e-6, 1, 10.0), (0.0, -1.0, 10.1, inf, nan, None)),
    "warmup": ((0.0, 0.5, 1), (-0.01, 1.01, nan, None)),
    "clip": ((1e-6, 1, 1e9, inf), (0.0, -1.0, nan, None)),
    "weight_decay": ((0, 1.0), (-1.0, 1.1, nan)),
    "smoothing": ((0, 0.99), (1.0, -0.1, nan)),
    "precision": (("auto", "float32", "bfloat16"), ("half", None)),
    "seed": ((0, 2**31 - 1), (-1, 2**31, 0.0, True, None)),
    "length_penalty": ((0, 10.0), (-1, 10.1, nan, None)),
    "path": (("words.txt", None), (3, True)),
} | dict.fromkeys(WHOLE, ((1, 7, 10**9), (0, -1, 1.0, "1", True, nan)))


@pytest.mark.parametrize("name", SETTINGS)
def test_what_is_in_range_is_taken_and_what_is_not_is_named(name):
    good, bad = GOOD_AND_BAD[name]
    for value in good:
        task = {"task": value, "model": RECIPES[value].get("model", "recurrent")} if name == "task" else {"task": "g2p"}
        assert getattr(recipe(**task | {name: value}), name) == value
    for value in (*bad, [], {}):
        with pytest.raises(ValueError, match=f"^{name}: got .*, expected (one of|a|an|True) "):
            recipe(**{"task": "g2p", name: value})
    assert (SETTINGS[name].default is None) == (name in MAY_BE_NONE)


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"task": "poems"}, "task: got 'poems', expected one of dates, g2p, translation, lm"),
        ({"attention": "hard"}, "attention: got 'hard', expected one of none, additive"),
        ({"minutes": 0.0}, "minutes: got 0.0, expected a number above 0, up to 1000000"),
        ({"minutes": 1.0, "steps": 5}, "budget: got minutes and steps, expected one of minutes, steps, epochs"),
        ({"minutes": None}, "budget: got none, expected one of"),
        ({"steps": 0}, "steps: got 0, expected a whole number of at least 1"),
        ({"size": 7}, "size: got 7, expected an even number of at least 2"),
        ({"dropout": 1.0}, "dropout: got 1.0, expected a number from 0 to 0.99"),
        ({"clip": 0.0}, "clip: got 0.0, expected a number above 0$"),
        ({"tied": 1}, "tied: got 1, expected True or False"),
        ({"task": "lm", "model": "recurrent"}, "model: got 'recurrent' for lm, expected 'transformer'"),
        ({"colour": "blue"}, "settings: got 'colour', expected names from at_least"),
    ],
)
def test_settings_out_of_range_are_refused_in_words(changes, said):
    with pytest.raises(ValueError, match=said):
        recipe(**{"task": "g2p"} | changes)


def test_every_task_has_a_recipe_that_says_only_what_differs():
    for task in TASKS:
        assert recipe(task).minutes == RECIPES[task]["minutes"]
        for name, value in RECIPES[task].items():
            assert value != SETTINGS[name].default, f"{task}: {name} is {value} anyway"
    for task, values in TRANSFORMERS.items():
        assert asdict(recipe(task, model="transformer")) == asdict(recipe(task)) | values | {"model": "transformer"}
        usual = recipe(task)
        for name, value in values.items():
            assert value != getattr(usual, name), f"{task}: {name} is {value} without a Transformer too"


def test_a_budget_takes_the_place_of_the_one_before():
    for name, value in (("minutes", 2.0), ("steps", 5), ("epochs", 3)):
        for one in (recipe("g2p", **{name: value}), changed(recipe("g2p", steps=9), **{name: value})):
            given = {budget: getattr(one, budget) for budget in ("minutes", "steps", "epochs")}
            assert given == {"minutes": None, "steps": None, "epochs": None} | {name: value}
    assert changed(recipe("g2p", steps=9), seed=4) == recipe("g2p", steps=9, seed=4)


def test_every_attention_has_a_module():
    query, keys, mask = torch.randn(2, 3, 8), torch.randn(2, 5, 8), torch.ones(2, 1, 5, dtype=torch.bool)
    for name in ATTENTIONS[1:]:
        context, looked = make_attention(name, 8)(query, keys, mask)
        assert context.shape == (2, 3, 8) and looked.shape == (2, 3, 5)
    assert make_attention("none", 8) is None
    keys = torch.randn(2, 5, 6)
    for name in ("additive", "concat", "general"):
        assert make_attention(name, 8, 6)(query, keys, mask)[1].shape == (2, 3, 5)


def test_settings_survive_being_stored():
    settings = recipe("translation", steps=7, subset=512)
    stored = json.loads(json.dumps(asdict(settings)))
    assert restored(stored) == settings and difference(restored(stored), settings) is None
    assert difference(recipe("translation", steps=7), settings) == "subset"
    for unlike in (stored | {"colour": 1}, {name: value for name, value in stored.items() if name != "cell"}):
        with pytest.raises(
            ValueError, match="^(colour|cell): got a run that another version of the course began, expected"
        ):
            restored(unlike)


@pytest.mark.parametrize("name", reports.names())
def test_the_settings_of_old_reports_are_read(name):
    stored = reports.stored(name)["settings"]
    assert asdict(restored(stored)) == stored


# ---- the command line ----


def test_every_option_of_the_command_has_a_help_text():
    texts = {action.dest: action.help or "" for action in parser()._actions}
    texts |= {name: one.metadata["help"] for name, one in SETTINGS.items()}  # without the range, which is added
    assert not [name for name, text in texts.items() if len(text) < 10]
    assert len({action.help for action in parser()._actions}) == len(parser()._actions)


def test_every_setting_is_an_option_that_says_its_range_and_what_recipes_change():
    options = {action.dest: action for action in parser()._actions}
    for name, one in SETTINGS.items():
        assert one.metadata["help"] in options[name].help and options[name].default is None
        assert options[name].choices is None or tuple(options[name].choices) == GOOD_AND_BAD[name][0]
        told = [] if one.default in (None, MISSING) else [one.default]
        told += [f"{task} {values[name]}" for task, values in RECIPES.items() if name in values]
        told += [f"{task} transformer {values[name]}" for task, values in TRANSFORMERS.items() if name in values]
        assert all(str(value) in options[name].help for value in told)
    for number, limit in (("dropout", "from 0 to 0.99"), ("rate", "above 0, up to 10"), ("size", "even number")):
        assert limit in options[number].help


@pytest.mark.parametrize("name", [name for name in SETTINGS if name != "task"])
def test_every_setting_can_be_given_on_the_command_line(name):
    value = GOOD_AND_BAD[name][0][0]
    flag = f"--{name.replace('_', '-')}"
    given = [flag] if value is True else [flag, str(value)]
    parsed = getattr(parser().parse_args(["g2p", *given]), name)
    assert parsed == value and isinstance(parsed, kind(SETTINGS[name]))
    assert getattr(parser().parse_args(["g2p"]), name) is None


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["poems"], "invalid choice: 'poems'"),
        (["g2p", "--attention", "hard"], "invalid choice: 'hard'"),
        (["g2p", "--minutes", "soon"], "argument --minutes: invalid float value: 'soon'"),
    ],
)
def test_the_command_line_refuses_what_it_does_not_know(arguments, said, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--minutes", "-1"], "minutes: got -1.0"),
        (["--threads", "0"], "threads: got 0"),
        (["--path", "nowhere.txt"], "path: got nowhere.txt, where no file is"),
        pytest.param(
            ["--device", "cuda"],
            "device: got cuda",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device"),
        ),
    ],
)
def test_a_run_that_cannot_be_says_why(arguments, said, tmp_path, capsys):
    assert main(["g2p", "--out", str(tmp_path / "run"), *arguments]) == 2
    assert said in capsys.readouterr().err


# ---- the schedule ----


@pytest.mark.parametrize("budget", [Budget(200, None), Budget(None, 20.0)])
def test_the_learning_rate_rises_and_falls(budget):
    shares = [budget.share(step, step / 10) for step in range(200)]
    assert all(0 <= share < 1 for share in shares) and budget.share(200, 20.0) >= 1
    rates = [rate_at(share, 0.1) for share in shares]
    top = rates.index(max(rates))
    assert 18 <= top <= 21 and rates[top] > 0.99 and rates[0] < 0.06 and rates[-1] < 0.001
    assert all(one < other for one, other in pairwise(rates[: top + 1]))
    assert all(one > other for one, other in pairwise(rates[top:]))
    assert rate_at(0.0, 0.0) == 1
