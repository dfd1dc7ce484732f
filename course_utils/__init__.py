"""The helper package of the attention course. This page is the floor plan; importing it loads nothing heavy.

    attention       masked softmax, scores without parameters, attend: the mechanism in the open
    scores          scores with parameters: additive, bilinear, and the two concatenation rules
    joined          attention whose context is joined to the query and projected
    self_attention  attention of a sequence to itself, with three projections
    hard            attention that chooses one key, and the gradients that train it
    masks           which keys a query may look at
    positions       where a token stands: sines, learned, relative, rotary, ALiBi
    heads           several attentions side by side; torch_heads copies parameters from and to PyTorch's module
    seq2seq         an encoder-decoder with and without attention; encoder is its first half
    bahdanau        the same in the order of 2015, step by step; forgetting says which part of a word is lost
    local           attention through a window
    copying         attention at the output: words that come straight from the source
    decoding        beam search
    metrics         edit distance, error rates of sounds and words, BLEU
    training        one training loop; train is the command line for long runs, with checkpoints and reports
    data            dates in many languages, words and their sounds, sentences, digits, the shop and its clicks
    plots           the pictures of the course, one grammar for all of them
    fonts           glyphs for every script that a lesson draws
    explorer        attention to move over: who looks at whom, in a page that needs no kernel
    contract        an audit that any attention can be put through
    checks          the checks of the exercises: they compare, and they name the mistake
    exercises       the bank of known mistakes, one module a lesson
    compare, graded what the checks are made of
    runtime         the first line of every notebook, and numbers that print alike on every machine
    allocator       memory kept between training steps

Imports point one way: `attention` is used by `scores`, `joined` and `seq2seq`, and uses none of them;
`data`, `plots`, `checks`, `training` and `runtime` know none of these rooms.
"""
