"""The Transformer's blocks against PyTorch's layers, and its parts against plain arithmetic."""

import warnings

import pytest
import torch
from torch import nn

from course_utils.attention.masks import causal_mask, padding_mask
from course_utils.models.blocks import DecoderBlock, DecoderStack, EncoderBlock, EncoderStack, FeedForward, Residual
from course_utils.models.torch_blocks import copy_from_torch, copy_to_torch
from course_utils.models.transformer import Transformer

SIZE, HEADS, HIDDEN = 12, 3, 20
DOUBLE, SINGLE = (torch.float64, 1e-10), (torch.float32, 1e-5)
SOURCE_MASK = padding_mask(torch.tensor([7, 4, 2]))  # (batch, 1, source)
TARGET_MASK = padding_mask(torch.tensor([3, 5, 4])) & causal_mask(5)  # (batch, target, target)


def draw(*shape, dtype=torch.float64, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def moved(module, seed=1):
    """The module with every parameter drawn afresh, norms and biases too, so that none is 0 or 1."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            drawn = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.copy_(drawn / parameter.shape[-1] ** 0.5 + (parameter.dim() == 1))
    return module


def torch_whole(norm, dtype):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of nested tensors, which pre-norm cannot use
        made = nn.Transformer(
            SIZE, HEADS, 2, 3, HIDDEN, dropout=0.0, batch_first=True, norm_first=norm == "pre", dtype=dtype
        )
    return moved(made)


def gradients(output, *inputs):
    """The gradients of a sum in which every number has another weight."""
    weights = draw(*output.shape, dtype=output.dtype, seed=9)
    return torch.autograd.grad((output * weights).sum(), inputs)


def near(one, other, within):
    return all((a - b).abs().max() <= within * max(1, b.abs().max()) for a, b in zip(one, other, strict=True))


# ---- equal to PyTorch's layers: outputs, gradients of the inputs and of every parameter ----


@pytest.mark.parametrize("dtype, within", [DOUBLE, SINGLE])
@pytest.mark.parametrize("norm", ["post", "pre"])
def test_an_encoder_block_is_pytorch_s_layer(norm, dtype, within):
    theirs = nn.TransformerEncoderLayer(SIZE, HEADS, HIDDEN, 0.0, batch_first=True, norm_first=norm == "pre")
    theirs, ours = moved(theirs).to(dtype), EncoderBlock(SIZE, HEADS, HIDDEN, norm=norm).to(dtype)
    copy_from_torch(theirs, ours)
    x = draw(3, 7, SIZE, dtype=dtype).requires_grad_()
    real = SOURCE_MASK[:, 0]
    expected = theirs(x, src_key_padding_mask=~real)[real]
    found = ours(x, SOURCE_MASK)[real]
    assert (found - expected).abs().max() <= within
    if dtype == torch.float64:  # PyTorch differs from itself in float32 by more
        assert near(gradients(found, x), gradients(expected, x), within)


@pytest.mark.parametrize("dtype, within", [DOUBLE, SINGLE])
@pytest.mark.parametrize("norm", ["post", "pre"])
def test_a_decoder_block_is_pytorch_s_layer_with_unequal_lengths(norm, dtype, within):
    theirs = nn.TransformerDecoderLayer(SIZE, HEADS, HIDDEN, 0.0, batch_first=True, norm_first=norm == "pre")
    theirs, ours = moved(theirs).to(dtype), DecoderBlock(SIZE, HEADS, HIDDEN, norm=norm).to(dtype)
    copy_from_torch(theirs, ours)
    target, memory = draw(3, 5, SIZE, dtype=dtype).requires_grad_(), draw(3, 7, SIZE, dtype=dtype).requires_grad_()
    hidden = {"tgt_mask": ~causal_mask(5), "memory_key_padding_mask": ~SOURCE_MASK[:, 0]}
    expected = theirs(target, memory, **hidden)
    found = ours(target, memory, causal_mask(5), SOURCE_MASK)
    assert (found - expected).abs().max() <= within
    if dtype == torch.float64:
        assert near(gradients(found, target, memory), gradients(expected, target, memory), within)


@pytest.mark.parametrize("dtype, within", [DOUBLE, SINGLE])
@pytest.mark.parametrize("norm", ["post", "pre"])
def test_the_whole_is_nn_transformer_with_a_padding_of_its_own_on_each_side(norm, dtype, within):
    theirs = torch_whole(norm, dtype)
    ours = Transformer(9, 9, SIZE, HEADS, HIDDEN, 2, decoder_layers=3, norm=norm, final=True).to(dtype)
    copy_from_torch(theirs, ours)
    source, target = draw(3, 7, SIZE, dtype=dtype).requires_grad_(), draw(3, 5, SIZE, dtype=dtype).requires_grad_()
    real = padding_mask(torch.tensor([3, 5, 4]))[:, 0]
    expected = theirs(
        source, target, tgt_mask=~causal_mask(5), src_key_padding_mask=~SOURCE_MASK[:, 0],
        tgt_key_padding_mask=~real, memory_key_padding_mask=~SOURCE_MASK[:, 0],
    )[real]  # fmt: skip
    found = ours.decoder(target, ours.encoder(source, SOURCE_MASK), TARGET_MASK, SOURCE_MASK)[real]
    assert (found - expected).abs().max() <= within
    if dtype == torch.float64:
        assert near(gradients(found, source, target), gradients(expected, source, target), within)
        back = torch_whole(norm, dtype)
        mine = [value for name, value in ours.named_parameters() if name.startswith(("encoder", "decoder"))]
        with torch.no_grad():
            for value in mine:  # another model, there and back
                value.add_(0.1 * draw(*value.shape, seed=3))
        copy_to_torch(ours, back)
        again = Transformer(9, 9, SIZE, HEADS, HIDDEN, 2, decoder_layers=3, norm=norm, final=True).to(dtype)
        copy_from_torch(back, again)
        assert all(
            torch.equal(again.get_parameter(n), p) for n, p in ours.named_parameters() if n[:5] in "encoder decoder"
        )
        moved_on = back(source, target, tgt_mask=~causal_mask(5))
        assert near([ours.decoder(target, ours.encoder(source), causal_mask(5))], [moved_on], within)


def test_gradients_of_all_parameters_are_pytorch_s():
    theirs = moved(nn.TransformerEncoderLayer(SIZE, HEADS, HIDDEN, 0.0, batch_first=True)).double()
    ours = EncoderBlock(SIZE, HEADS, HIDDEN).double()
    copy_from_torch(theirs, ours)
    x = draw(2, 6, SIZE)
    expected = gradients(theirs(x), *theirs.parameters())
    assert all(gradient.abs().max() > 0 for gradient in expected)
    named = dict(zip([name for name, _ in theirs.named_parameters()], expected, strict=True))
    found = gradients(ours(x), ours.feed.widen.weight, ours.feed.narrow.bias, ours.around_attention.norm.weight)
    assert near(found, [named["linear1.weight"], named["linear2.bias"], named["norm1.weight"]], 1e-10)
    inner = [ours.attention.project_query, ours.attention.project_key, ours.attention.project_value]
    joined = torch.cat(gradients(ours(x), *(part.weight for part in inner)))
    assert near([joined], [named["self_attn.in_proj_weight"]], 1e-10)


def test_gelu_is_pytorch_s_too():
    theirs = moved(nn.TransformerEncoderLayer(SIZE, HEADS, HIDDEN, 0.0, "gelu", batch_first=True)).double()
    ours = EncoderBlock(SIZE, HEADS, HIDDEN, activation="gelu").double()
    copy_from_torch(theirs, ours)
    assert near([ours(draw(2, 6, SIZE))], [theirs(draw(2, 6, SIZE))], 1e-10)


# ---- what does not fit is named ----


@pytest.mark.parametrize(
    "theirs, ours, said",
    [
        (nn.TransformerEncoderLayer(SIZE, HEADS, HIDDEN), DecoderBlock(SIZE, HEADS, HIDDEN), "modules: got Transf"),
        (nn.TransformerEncoderLayer(SIZE, HEADS, HIDDEN), EncoderBlock(SIZE, HEADS, HIDDEN, norm="pre"), "norm: got"),
        (nn.TransformerEncoderLayer(SIZE, HEADS, 8), EncoderBlock(SIZE, HEADS, HIDDEN), "size: got"),
        (nn.TransformerEncoderLayer(SIZE, 2, HIDDEN), EncoderBlock(SIZE, HEADS, HIDDEN), "heads: got 2 and 3"),
        (nn.TransformerEncoderLayer(SIZE, HEADS, HIDDEN, activation="gelu"), EncoderBlock(SIZE, HEADS, HIDDEN), "act"),
    ],
)  # fmt: skip
def test_modules_that_differ_are_refused(theirs, ours, said):
    for attempt in (lambda: copy_from_torch(theirs, ours), lambda: copy_to_torch(ours, theirs)):
        with pytest.raises(ValueError, match=said):
            attempt()


def test_stacks_that_differ_are_refused():
    layer = nn.TransformerEncoderLayer(SIZE, HEADS, HIDDEN, batch_first=True)
    theirs = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    for blocks, final, said in [(1, False, "layers: got 2 and 1"), (2, True, "norm: got a stack with a last norm")]:
        ours = EncoderStack([EncoderBlock(SIZE, HEADS, HIDDEN) for _ in range(blocks)], SIZE, final)
        with pytest.raises(ValueError, match=said):
            copy_from_torch(theirs, ours)


@pytest.mark.parametrize(
    "arguments, said",
    [
        ({"heads": 5}, "heads: got 5"),
        ({"norm": "middle"}, "norm: got 'middle', expected one of post, pre"),
        ({"dropout": 1.0}, "dropout: got 1.0, expected a share"),
        ({"activation": "tanh"}, "activation: got 'tanh', expected one of relu, gelu"),
        ({"hidden": 0}, "hidden: got 0"),
    ],
)
def test_choices_out_of_range_are_refused(arguments, said):
    for made in (EncoderBlock, DecoderBlock):
        with pytest.raises(ValueError, match=said):
            made(**{"size": SIZE, "heads": HEADS, "hidden": HIDDEN} | arguments)


# ---- the parts, each by itself ----


def test_feed_forward_treats_each_place_alone_and_all_alike():
    feed = FeedForward(SIZE, HIDDEN).double()
    x = draw(2, 5, SIZE)
    whole = feed(x)
    for batch in range(2):
        for place in range(5):
            vector = x[batch, place]
            inner = (feed.widen.weight @ vector + feed.widen.bias).clamp(min=0)
            expected = feed.narrow.weight @ inner + feed.narrow.bias
            assert (whole[batch, place] - expected).abs().max() < 1e-12


def test_a_way_around_adds_and_norms_where_it_says():
    x = 3 + 2 * draw(4, SIZE)
    zero, double = torch.zeros_like, lambda given: 2 * given
    assert torch.equal(Residual(SIZE, norm="pre").double()(x, zero), x), "pre: the way around itself has no norm"
    post = Residual(SIZE, norm="post").double()(x, zero)
    assert post.mean(-1).abs().max() < 1e-6 and (post.var(-1, unbiased=False) - 1).abs().max() < 1e-4
    normed = (x - x.mean(-1, keepdim=True)) / (x.var(-1, unbiased=False, keepdim=True) + 1e-5).sqrt()
    assert near([Residual(SIZE, norm="pre").double()(x, double)], [x + 2 * normed], 1e-12)


def test_dropout_falls_on_what_a_layer_says_and_in_training_only():
    around = Residual(SIZE, dropout=0.5, norm="pre")
    x = torch.ones(64, SIZE)
    said = around(x, torch.ones_like) - x
    assert set(said.unique().tolist()) == {0.0, 2.0}
    assert torch.equal(around.eval()(x, torch.ones_like), x + 1)


def test_maps_are_the_weights_and_asking_for_them_changes_nothing():
    block = DecoderBlock(SIZE, HEADS, HIDDEN).double()
    target, memory, maps = draw(3, 5, SIZE), draw(3, 7, SIZE), []
    given = block(target, memory, causal_mask(5), SOURCE_MASK, maps)
    assert near([given], [block(target, memory, causal_mask(5), SOURCE_MASK)], 1e-12)
    assert [one.shape for one in maps] == [(3, HEADS, 5, 7)]
    assert (maps[0].sum(-1) - 1).abs().max() < 1e-12
    assert not maps[0].masked_select(~SOURCE_MASK[:, None]).any(), "no weight on padding"


def test_long_sequences_by_the_fused_kernel_are_the_short_ones_by_plain_products(monkeypatch):
    block = EncoderBlock(SIZE, HEADS, HIDDEN).double()
    x = draw(2, 70, SIZE)
    fused = block(x, causal_mask(70))
    monkeypatch.setattr("course_utils.models.blocks.SHORT", 100)
    assert near([block(x, causal_mask(70))], [fused], 1e-12)


def test_a_row_with_nothing_to_look_at_gives_numbers():
    block = EncoderBlock(SIZE, HEADS, HIDDEN).eval()
    x = draw(2, 4, SIZE, dtype=torch.float32)
    mask = padding_mask(torch.tensor([4, 0]))
    with torch.no_grad():
        assert block(x, mask).isfinite().all()


def test_stacks_call_their_blocks_in_order():
    stack = DecoderStack([DecoderBlock(SIZE, HEADS, HIDDEN) for _ in range(2)], SIZE).double()
    target, memory = draw(2, 3, SIZE), draw(2, 4, SIZE)
    expected = stack.norm(stack.blocks[1](stack.blocks[0](target, memory), memory))
    assert torch.equal(stack(target, memory), expected)
