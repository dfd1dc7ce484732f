"""Attention in the open, from one dot product to many heads; nothing here needs more than torch.

basics       masked softmax, scores without parameters, attend: the mechanism itself
scores       scores with parameters: additive, bilinear, and the two concatenation rules
modules      self-attention, and attention whose context is joined to the query and projected
pooling      one vector of a sequence: by a learned query, the mean, the greatest
hard         attention that chooses one key, and the gradients that train it
masks        which keys a query may look at
positions    where a token stands: sines, learned, relative, rotary, ALiBi
heads        several attentions side by side; torch_heads copies parameters from and to PyTorch's module
local        attention through a window
tiles        exact attention without the matrix of weights
windows      the last keys only, in blocks, with sinks; the k best
linear       attention whose past is a state of fixed size
cache        keys and values kept while writing
grouped      query heads that share keys and values
guards       what an argument must be: one grammar of error messages
"""

from course_utils.attention.basics import Score, attend, cosine, dot, masked_softmax, scaled_dot

__all__ = ["Score", "attend", "cosine", "dot", "masked_softmax", "scaled_dot"]
