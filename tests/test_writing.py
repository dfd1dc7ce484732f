"""Who writes, writes with a cache: each token is computed once, and what is written is what computing anew writes."""

from functools import partial
from types import SimpleNamespace

import pytest
import torch

from course_utils.attention.masks import padding_mask
from course_utils.data.text import PAD, Vocabulary
from course_utils.models.decoding import beam_search, greedy_search
from course_utils.models.language import LanguageModel, generate
from course_utils.models.transformer import Transformer
from course_utils.train import perplexity
from course_utils.train.evaluation import answers

LETTERS = Vocabulary(["abcdefghij"])
SOURCES = ["abcadb", "fedcba", "jih", "cabcab", "ba"]


class Anew(Transformer):
    """Its state is what was written so far, all of which is computed again for each new token."""

    def decode(self, memory, target_in, state, first=0):
        written = torch.cat([state[..., 0].long(), target_in], dim=1)
        logits = self.project(self.write(memory, written))
        return logits[:, -target_in.shape[1] :], None, written[..., None].to(memory.states)

    def encode(self, source, source_mask, source_lengths=None):
        return (
            super()
            .encode(source, source_mask, source_lengths)
            ._replace(last=torch.zeros(len(source), 0, 1, dtype=self.project.weight.dtype))
        )


def two(kind=Transformer, positions="sine", seed=0):
    torch.manual_seed(seed)
    return kind(len(LETTERS), len(LETTERS), 16, heads=2, hidden=32, positions=positions).double().eval()


def counted(model, name):
    """The lengths of the target tokens that come to a method of a model, from now on."""
    lengths, method = [], getattr(model, name)

    def call(*given, **named):
        tokens = given[1] if name == "write" else given[0]
        lengths.append(tokens.shape[1])
        return method(*given, **named)

    setattr(model, name, call)
    return lengths


@pytest.mark.parametrize("positions", ["sine", "learned", "rotary", "relative"])
def test_both_searches_find_what_computing_anew_finds(positions):
    ids = torch.full((len(SOURCES), 6), PAD)
    for row, source in enumerate(SOURCES):
        ids[row, : len(source)] = torch.tensor(LETTERS.encode(source))
    mask = padding_mask(torch.tensor([len(source) for source in SOURCES]))
    kept, anew = two(positions=positions), two(Anew, positions)
    assert torch.equal(greedy_search(kept, ids, mask, 12), greedy_search(anew, ids, mask, 12))
    for beams in (2, 5):
        (one, likely), (other, as_likely) = (beam_search(model, ids, mask, 12, beams) for model in (kept, anew))
        assert torch.equal(one, other)
        torch.testing.assert_close(likely, as_likely)


@pytest.mark.parametrize("beams", [1, 4])
def test_the_command_s_answers_compute_each_token_once(beams):
    kept, anew = two(), two(Anew)
    lengths, all_lengths = counted(kept, "write"), counted(anew, "write")
    device = torch.device("cpu")
    found = answers(kept, SOURCES, LETTERS, LETTERS, device, beams)
    assert found == answers(anew, SOURCES, LETTERS, LETTERS, device, beams)
    if beams == 1:  # greedy looks at all once more in the end, for the weights that it gives back
        lengths = [length for place, length in enumerate(lengths) if place + 1 < len(lengths) and length == 1]
    assert lengths and set(lengths) == {1} and max(all_lengths) > 5


def test_the_command_s_language_model_writes_with_a_cache(monkeypatch):
    torch.manual_seed(1)
    model = LanguageModel(len(LETTERS), 16, 2, 32, 2).eval()
    task = SimpleNamespace(shown=["ab", "cdefg"], targets=LETTERS, train=[("ab",)])
    lengths = counted(model, "forward")
    with_cache = perplexity.continued(model, task, torch.device("cpu"), longest=15)
    assert sorted({*lengths}) == [1, 3, 6] and lengths.count(3) == lengths.count(6) == 1
    monkeypatch.setattr(perplexity, "generate", partial(generate, cached=False))
    assert with_cache == perplexity.continued(model, task, torch.device("cpu"), longest=15)
