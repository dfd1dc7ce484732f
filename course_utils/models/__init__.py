"""Models made of attention and recurrent nets; importing this page loads none of them.

encoder     reads a source forwards and backwards, and the memory that it hands to a decoder
seq2seq     an encoder-decoder, with and without attention, and the loss of its tokens
bahdanau    the same in the order of 2015: look first, then write, step by step
copying     attention at the output: words that come straight from the source
decoding    greedy and beam search, and the probability of a target that is given
classifier  a text classifier in five steps
recall      small readers that must remember, for what cheaper attention forgets
tiny        one attention layer, several seeds at once, to compare ways to tell the positions
blocks      the blocks of a Transformer, and stacks of them; torch_blocks copies parameters from and to PyTorch's
places      five ways to tell a Transformer the positions, its embeddings, and its last layer
transformer encoder and decoder of blocks, with the calls of seq2seq
language    one stack under a causal mask that guesses the next token, and writes
denoising       a photograph that denoises itself: non-local means as attention
vision          pictures as tokens: patches, a small Vision Transformer, a convolution, rollout
clicks          will the shopper click? target attention over past clicks, and mean, sum and softmax beside it
recommender     the next film: by the mean of a history, by target attention, by self-attention
learned_search  the search of lesson 01: two projections and a product
engine          the shop's engine: words, an attention by any rule, heads mixed, and the past clicks
"""
