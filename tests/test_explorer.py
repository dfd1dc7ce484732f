"""The explorer's numbers, its bytes, what it says without scripts, and what it refuses; no browser is needed."""

import configparser
import html.parser
import json
import re
import subprocess
import sys

import nbformat
import pytest
import torch
from editions import ROOT
from patience import NBVAL

from course_utils.explorer import explore

QUERIES = ["notebook", "pen"]
KEYS = ["laptop", "paper", "pen"]
WEIGHTS = torch.tensor([[0.52, 0.31, 0.17], [0.0, 0.25, 0.75]])
SANITISER = ROOT / "tests" / "nbval_sanitize.cfg"


class Page(html.parser.HTMLParser):
    """What a reader sees who has no scripts, and the data that the script gets."""

    def __init__(self, shown):
        super().__init__()
        self.cells, self.tags, self.inside, self.text = [], [], "", ""
        self.feed(shown._repr_html_())

    def handle_starttag(self, tag, attributes):
        self.inside = tag
        self.tags.append(tag)
        if tag == "div":
            self.data = dict(attributes)
            self.names = json.loads(self.data["data-names"])
            self.numbers = self.data["data-numbers"]

    def handle_data(self, data):
        if self.inside == "td" and data.strip():
            self.cells.append(data)
        if self.inside not in ("script", "style"):
            self.text += data


def random_scores(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * 2


def masked(text):
    """The text as nbval compares it."""
    rules = configparser.RawConfigParser()
    rules.read(SANITISER, encoding="utf-8")
    for rule in rules.sections():
        text = re.sub(rules.get(rule, "regex"), rules.get(rule, "replace"), text)
    return text


def test_the_data_are_the_weights_in_thousandths():
    page = Page(explore(WEIGHTS, QUERIES, KEYS, title="Shop"))
    assert page.numbers == "0520" + "0310" + "0170" + "0000" + "0250" + "0750"
    assert page.names["queries"] == QUERIES and page.names["keys"] == KEYS and page.names["temperature"] is None
    assert page.cells == ["0.52", "0.31", "0.17", "0.00", "0.25", "0.75"]


def test_with_scores_the_data_say_how_far_each_lies_below_the_best():
    scores = torch.tensor([[2.0, 0.5, -torch.inf], [-torch.inf] * 3])
    weights = torch.softmax(scores, -1).nan_to_num(0.0)
    page = Page(explore(weights, QUERIES, KEYS, scores=scores))
    assert page.numbers == "000000" + "001500" + 4 * "999999"
    assert page.cells == ["0.82", "0.18", "0.00", "0.00", "0.00", "0.00"]


def test_the_temperature_may_start_elsewhere():
    scores = random_scores(2, 3)
    cold = explore(torch.softmax(scores / 0.2, -1), QUERIES, KEYS, scores=scores / 0.2)
    same = explore(torch.softmax(scores / 0.2, -1), QUERIES, KEYS, scores=scores, temperature=0.2)
    assert Page(cold).numbers == Page(same).numbers and Page(cold).cells == Page(same).cells
    assert Page(same).names["temperature"] == 0.2 and Page(cold).names["temperature"] == 1


@pytest.mark.parametrize("scored", [False, True])
def test_every_number_is_there_in_the_order_layer_head_query_key(scored):
    scores = random_scores(2, 3, 4, 5)
    weights = torch.softmax(scores, -1)
    shown = explore(weights, "abcd", "vwxyz", scores=scores if scored else None)
    digits, width = Page(shown).numbers, 6 if scored else 4
    whole = torch.tensor([int(digits[at : at + width]) for at in range(0, len(digits), width)]).view(2, 3, 4, 5)
    expected = scores.max(-1, keepdim=True).values - scores if scored else weights
    assert (whole / 1000 - expected).abs().max() <= 0.0005 + 1e-5
    table = torch.tensor([float(cell) for cell in Page(shown).cells]).view(4, 5)
    assert (table - weights[0, 0]).abs().max() <= 0.0056  # rounded to three decimals, then to two


def test_a_number_halfway_is_rounded_alike_on_every_machine():
    sixteenth = torch.full((1, 16), 1 / 16)
    for hair in (-1e-7, 0.0, 1e-7):
        assert set(re.findall("....", Page(explore(sixteenth + hair, "q", "abcdefghijklmnop")).numbers)) == {"0063"}


def test_a_long_table_stands_upright():
    weights = torch.softmax(random_scores(2, 30), -1)
    page = Page(explore(weights, QUERIES, [f"good {number}" for number in range(30)]))
    assert page.names["flipped"] and page.tags.count("tr") == 31
    assert float(page.cells[3]) == pytest.approx(float(weights[1, 1]), abs=0.0056)


def test_the_same_numbers_give_the_same_bytes_and_no_ids():
    one, two = (explore(WEIGHTS, QUERIES, KEYS, scores=WEIGHTS.log()) for _ in range(2))
    assert one._repr_html_() == two._repr_html_() and repr(one) == repr(two)
    assert not re.search(r"\bid=|random|Date|https?://(?!www\.w3\.org/2000/svg)", one._repr_html_())
    assert "0x" not in repr(one)


def test_it_is_small():
    assert len(explore(WEIGHTS, QUERIES, KEYS)._repr_html_().encode()) < 16_000
    shop = torch.softmax(random_scores(6, 48), -1)
    assert len(explore(shop, "abcdef", list(map(str, range(48))))._repr_html_().encode()) < 25_000


def test_plain_text_says_where_each_query_looks():
    assert repr(explore(WEIGHTS, QUERIES, KEYS, title="Shop")).splitlines() == [
        "Shop",
        "notebook attends to laptop 0.52, paper 0.31, pen 0.17",
        "pen attends to pen 0.75, paper 0.25",
    ]
    assert "pen attends to nothing" in repr(explore(WEIGHTS * torch.tensor([[1.0], [0.0]]), QUERIES, KEYS))


def test_names_are_escaped_wherever_they_stand():
    evil = "</script><img src=x onerror=\"alert('1')\">&amp;"
    shown = explore(WEIGHTS, [evil, "pen"], [evil, "b", "c"], title=evil, caption=evil, labels={"query": evil})
    page = Page(shown)
    assert "img" not in page.tags and page.tags.count("script") == 1
    assert page.names["queries"][0] == page.names["title"] == page.names["labels"]["query"] == evil
    assert page.text.count(evil) == 5  # title, caption, corner, a row, a column


def test_names_that_cannot_be_seen_get_a_sign_and_words_may_be_numbers():
    names = Page(explore(WEIGHTS, [" ", 7], "a\n "[:3])).names
    assert names["queries"] == ["␣", "7"] and names["keys"] == ["a", "↵", "␣"]


def test_nothing_is_changed_and_gradients_and_lists_are_welcome():
    weights = torch.softmax(random_scores(2, 3), -1).requires_grad_()
    before = weights.detach().clone()
    explore(weights, QUERIES, KEYS)
    assert torch.equal(weights, before)
    assert (
        Page(explore(WEIGHTS.tolist(), QUERIES, KEYS)).numbers == Page(explore(WEIGHTS.numpy(), QUERIES, KEYS)).numbers
    )
    half = torch.softmax(random_scores(2, 3), -1).bfloat16()
    assert len(Page(explore(half, QUERIES, KEYS)).numbers) == 24


def test_approximate_weights_differ_without_a_difference_for_nbval():
    scores = random_scores(2, 2, 3)
    other = scores + 0.3 * random_scores(2, 2, 3, seed=1)
    texts = []
    for some in (scores, other):
        shown = explore(torch.softmax(some, -1), QUERIES, KEYS, scores=some, approximate=True)
        assert not re.search(r"0\.|1\.", repr(shown))
        texts.append((shown._repr_html_(), repr(shown)))
    assert texts[0][0] != texts[1][0]
    assert masked(texts[0][0]) == masked(texts[1][0]) and texts[0][1] == texts[1][1]
    assert "≈" not in explore(WEIGHTS, QUERIES, KEYS)._repr_html_(), "the sign is kept for what depends on the machine"


NOISE = "0.4 * torch.eye(2, 3)"
CELL = """\
import torch
from course_utils.explorer import explore
scores = torch.tensor([[2.0, 1.0, 0.5], [0.1, 0.2, 2.5]]) + {noise}
shown = explore(scores.softmax(-1), ["a", "b"], ["x", "y", "z"], scores=scores, approximate={approximate})
shown"""


def test_nbval_compares_the_picture(tmp_path):
    """Strictly, unless the numbers are declared to depend on the machine; then everything else is still compared."""
    cells = []
    for stored, found, approximate in (("0", "0", False), ("0", NOISE, True), ("0", NOISE, False)):
        space = {}
        exec(CELL.format(noise=stored, approximate=approximate), space)
        data = {"text/plain": repr(space["shown"]), "text/html": space["shown"]._repr_html_()}
        output = nbformat.v4.new_output("execute_result", data, execution_count=1)
        source = CELL.format(noise=found, approximate=approximate)
        cells.append(nbformat.v4.new_code_cell(source, outputs=[output], execution_count=1))
    cells.append(
        nbformat.from_dict(cells[1] | {"id": "other", "source": cells[1].source.replace('"b"', '"other"')})
    )  # another name
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "four.ipynb")
    command = [
        sys.executable,
        "-m",
        "pytest",
        *NBVAL,
        "--nbval-sanitize-with",
        str(SANITISER),
    ]
    command += ["-v", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path / "four.ipynb")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert re.findall(r"::Cell (\d) (\w+)", done.stdout)[:4] == [
        *(("0", "PASSED"), ("1", "PASSED"), ("2", "FAILED"), ("3", "FAILED"))
    ], done.stdout


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("weights: got str", {"weights": "no numbers"}),
        (r"weights: got shape \(3,\)", {"weights": WEIGHTS[0]}),
        (r"weights: got shape \(1, 1, 1, 2, 3\)", {"weights": WEIGHTS[None, None, None]}),
        (r"weights: got shape \(0, 3\)", {"weights": WEIGHTS[:0]}),
        ("expected 1 to 64 queries and keys", {"weights": torch.zeros(2, 65)}),
        ("expected numbers from 0 to 1", {"weights": WEIGHTS * 3}),
        ("expected numbers from 0 to 1", {"weights": WEIGHTS - 0.5}),
        ("expected numbers from 0 to 1", {"weights": WEIGHTS * torch.nan}),
        ("queries: got 3 names, expected 2", {"queries": KEYS}),
        ("queries: got int", {"queries": 2}),
        ("keys: got 2 names, expected 3", {"keys": QUERIES}),
        ("heads: got 2 names, expected 1", {"heads": ["one", "two"]}),
        ("layers: got 0 names, expected 1", {"layers": []}),
        ("labels: got a label for 'keys'", {"labels": {"keys": "goods"}}),
        ("title: got int, expected a text", {"title": 3}),
        ("caption: got NoneType, expected a text", {"caption": None}),
        ("scores: got shape", {"scores": WEIGHTS.log()[:1]}),
        ("scores: got nan or inf", {"scores": WEIGHTS * torch.nan}),
        ("scores: got nan or inf", {"scores": WEIGHTS + torch.inf}),
        (r"from softmax\(scores / temperature\)", {"scores": WEIGHTS.log() / 2}),
        (r"from softmax\(scores / temperature\)", {"scores": WEIGHTS.log(), "temperature": 2}),
        ("temperature: got 0, expected a number above 0", {"scores": WEIGHTS.log(), "temperature": 0}),
        ("temperature: got 0.5 without scores", {"temperature": 0.5}),
        ("or −inf where a mask hides a key", {"scores": torch.tensor([[0.0, 1.0, -1e9], [0.0, 0.0, 0.0]])}),
    ],
)
def test_bad_input_is_named(message, arguments):
    given = {"weights": WEIGHTS, "queries": QUERIES, "keys": KEYS} | arguments
    with pytest.raises(ValueError, match=message):
        explore(given.pop("weights"), given.pop("queries"), given.pop("keys"), **given)
