"""A language model: one stack of blocks under a causal mask, which guesses the next token; and how it writes."""

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_utils.attention.cache import Cache
from course_utils.attention.guards import require_positive
from course_utils.attention.masks import causal_mask
from course_utils.data.text import END, PAD, Batch, Vocabulary
from course_utils.models.blocks import EncoderBlock, EncoderStack, glorot
from course_utils.models.places import Embedded, PlacedAttention, scorer

WEIGHTS = Path(__file__).parent / "language.pt"


class LanguageModel(nn.Module):
    """Guesses every next token from the ones before it: a decoder-only Transformer.

    Shapes: tokens (batch, length) → logits (batch, length, vocabulary).
    `positions` and `norm` as in `Transformer`. Raises ValueError for sizes below 1, heads that do not divide the size,
    and unknown words. Source: Liu et al. 2018 (decoder only); Radford et al. 2019 (pre-norm, a last norm).
    """

    def __init__(
        self, vocabulary: int, size: int = 128, heads: int = 4, hidden: int = 512, layers: int = 3, *,
        dropout: float = 0.0, positions: str = "sine", norm: str = "pre", tied: bool = True, activation: str = "relu",
    ) -> None:  # fmt: skip
        require_positive(vocabulary=vocabulary, layers=layers)
        super().__init__()
        self.embed = Embedded(vocabulary, size, positions, dropout)
        options = (size, heads, hidden, dropout, norm, activation)
        blocks = [EncoderBlock(*options, PlacedAttention(size, heads, positions)) for _ in range(layers)]
        self.blocks = EncoderStack(blocks, size, final=norm == "pre")
        glorot(self.blocks)
        self.project = scorer(self.embed, tied)

    def forward(self, tokens: Tensor, caches: Sequence[Cache] | None = None) -> Tensor:
        return self.project(self.features(tokens, caches=caches))

    def features(
        self, tokens: Tensor, maps: list[Tensor] | None = None, caches: Sequence[Cache] | None = None
    ) -> Tensor:
        """Gives what `forward` projects to logits. Shapes: tokens (batch, length) → (batch, length, size).

        With `caches`, one for each block, the tokens are the new ones only: they follow those that were read before.
        """
        if tokens.dim() != 2:
            raise ValueError(f"tokens: got shape {tuple(tokens.shape)}, expected (batch, length)")
        before = len(caches[0]) if caches else 0
        new = tokens.shape[1]
        mask = None if new == 1 else causal_mask(new, before + new, device=tokens.device)  # the last token sees all
        return self.blocks(self.embed(tokens, before), mask, maps, caches)

    def caches(self) -> list[Cache]:
        """An empty cache for each block, for writing a token at a time."""
        return [Cache() for _ in self.blocks.blocks]

    @torch.no_grad()
    def look(self, tokens: Tensor) -> Tensor:
        """Gives all weights. Shapes: tokens (batch, length) → (batch, layers, heads, length, length)."""
        maps: list[Tensor] = []
        self.features(tokens, maps)
        return torch.stack(maps, dim=1)


def next_token_loss(model: LanguageModel, batch: Batch, smoothing: float = 0.0) -> tuple[Tensor, int]:
    """Gives the summed cross-entropy of the true next tokens of a batch's targets, and how many there were.

    Shapes: → a sum (), the number of real tokens, `<end>` included. Units: nats. The sources are not read.
    """
    features = model.features(batch.target_in).flatten(0, 1).index_select(0, batch.real)  # (tokens, size)
    target = batch.target_out.flatten().index_select(0, batch.real)
    logits = model.project(features)
    return F.cross_entropy(logits, target, reduction="sum", label_smoothing=smoothing), len(batch.real)


@torch.no_grad()
def generate(
    model: nn.Module,
    prefix: Tensor,
    length: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
    cached: bool = True,
) -> Tensor:
    """Writes on: draws the next token from what the model finds likely, reads it back in, and so on.

    Shapes: prefix (batch, before), at least one token → (batch, before + at most `length`).
    Each draw is from `next_distribution`; it is made on the CPU with the generator, so that a seed gives the same text
    everywhere. With `cached`, a language model computes each token once. After a row's `<end>` its tokens are `<pad>`;
    writing stops when every row has ended. Raises ValueError for an empty prefix, and for what `next_distribution`
    refuses.
    """
    require_positive(length=length)
    if prefix.dim() != 2 or prefix.shape[1] == 0:
        raise ValueError(f"prefix: got shape {tuple(prefix.shape)}, expected (batch, before), at least one token")
    tokens, new, done = prefix, prefix, (prefix == END).any(1)
    caches = model.caches() if cached and isinstance(model, LanguageModel) else None
    for _ in range(length):
        if done.all():
            break
        logits = model(tokens) if caches is None else model(new, caches)
        likely = next_distribution(logits[:, -1], temperature, top_k, top_p)
        drawn = torch.multinomial(likely.cpu(), 1, generator=generator)[:, 0].to(prefix.device)
        token = drawn.masked_fill(done, PAD)
        done = done | (token == END)
        new = token[:, None]
        tokens = torch.cat([tokens, new], dim=1)
    return tokens


def next_distribution(
    logits: Tensor, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> Tensor:
    """Turns logits into the probabilities from which the next token is drawn.

    Shapes: logits (…, vocabulary) → (…, vocabulary), each row sums to 1.
    First the temperature divides the logits; 0 puts all on the likeliest token. Then `top_k` keeps the k likeliest
    tokens, then `top_p` the fewest of the likeliest whose probabilities reach p, at least one; what is kept is
    normalised again. Raises ValueError for a negative temperature, top_k below 1, top_p outside 0 … 1.
    Source: Fan, Lewis and Dauphin 2018 (top-k); Holtzman et al. 2020 (top-p).
    """
    _require_knobs(temperature, top_k, top_p)
    if temperature == 0:
        return F.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits)
    likely, order = torch.softmax(logits / temperature, -1).sort(dim=-1, descending=True, stable=True)
    if top_k is not None:
        likely[..., top_k:] = 0.0
        likely = likely / likely.sum(-1, keepdim=True)
    if top_p is not None:
        before = likely.cumsum(-1) - likely  # what the likelier ones hold already
        likely = likely.masked_fill(before >= top_p, 0.0)
        likely = likely / likely.sum(-1, keepdim=True)
    return torch.zeros_like(likely).scatter(-1, order, likely)


def load_language_model() -> tuple[LanguageModel, Vocabulary]:
    """Gives the trained model of English sentences that comes with the course, and its characters.

    It reads lower-case sentences, character by character, after `<start>`, and ends them with `<end>`. Its weights are
    kept in half precision and computed with in float32; it is in evaluation mode.
    """
    stored = torch.load(WEIGHTS, map_location="cpu", weights_only=True)
    model = LanguageModel(**stored["options"])
    model.load_state_dict({name: value.float() for name, value in stored["model"].items()})
    return model.eval(), Vocabulary(stored["characters"])


def save_language_model(model: LanguageModel, options: dict, characters: Vocabulary, path: Path = WEIGHTS) -> None:
    """Writes a model as `load_language_model` reads it; `options` are those of its class."""
    halves = {name: value.half() for name, value in model.state_dict().items()}
    torch.save({"options": options, "characters": characters.entries, "model": halves}, path)


def _require_knobs(temperature: float, top_k: int | None, top_p: float | None) -> None:
    if not temperature >= 0:
        raise ValueError(f"temperature: got {temperature!r}, expected a number of at least 0")
    if top_k is not None:
        require_positive(top_k=top_k)
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p: got {top_p!r}, expected a share above 0, up to 1")
