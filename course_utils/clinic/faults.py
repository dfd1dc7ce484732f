"""The list of faults: a name, and one sentence on what is done wrong. Each patient has one of them; some have none."""

FAULTS = {
    "softmax over one thing": "The softmax runs over an axis of size 1.",
    "softmax over the queries": "The softmax runs down the columns of the map.",
    "softmax over the batch": "The softmax runs over the elements of the batch.",
    "scores kept": "The scores are multiplied by their own softmax.",
    "no root": "The scores are not divided by the root of the size.",
    "root of the whole size": "Each head divides by the root of the whole size, not of its own.",
    "values not mixed": "The sum after the weights runs over another axis than the keys.",
    "blind to the query": "What is scored does not depend on the query.",
    "blind to other keys": "The weights are made from the query and one key, at a fixed width.",
    "roles attend to each other": "Query, key and value of one word attend to each other, in place of words.",
    "heads cut across places": "The heads are made by a view without a transpose.",
    "wrong rule for heads": "The test for the number of heads lets pass what does not fit, or refuses what does.",
    "first of the batch": "Only element 0 of the batch is scored.",
    "mask not applied": "A mask is given and changes nothing.",
    "mask inverted": "True and False of the mask are exchanged.",
    "mask after softmax": "Hidden keys are set to 0 after the softmax, and nothing divides again.",
    "mask multiplied": "Hidden scores become 0 before the softmax.",
    "masks in the wrong order": "The masks of a batch are repeated in another order than the heads.",
    "mask of the other side": "The target's mask hides places of the source.",
    "nothing left to see": "A query that may see no key is not provided for.",
    "fill too large": "The number that hides a score does not fit into half precision.",
    "causal in training only": "The future is hidden in training mode only.",
    "causal from the top left": "The causal mask starts at the first key, although keys of the past were kept.",
    "padding counted as places": "Padding on the left moves the positions of the words.",
    "dropout left on": "Weights are dropped in evaluation too.",
    "arguments changed": "A tensor of the caller is written into.",
    "map of other weights": "The weights that are returned are not those that mixed the values.",
    "layer for one length": "A linear layer reads all words side by side: it fits one number of words.",
    "the picture": "The attention is well: the colours of the picture have a scale of their own.",
}


def faults() -> None:
    """Prints the list, from which a diagnosis is chosen."""
    width = max(map(len, FAULTS))
    for name, sentence in FAULTS.items():
        print(f"{name:{width}}  {sentence}")
