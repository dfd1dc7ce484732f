"""Models made of attention and recurrent nets; importing this page loads none of them.

encoder     reads a source forwards and backwards, and the memory that it hands to a decoder
seq2seq     an encoder-decoder, with and without attention, and the loss of its tokens
bahdanau    the same in the order of 2015: look first, then write, step by step
copying     attention at the output: words that come straight from the source
decoding    beam search, and the probability of a target that is given
classifier  a text classifier in five steps
tiny        one attention layer, several seeds at once, to compare ways to tell the positions
"""
