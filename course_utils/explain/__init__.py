"""Is attention an explanation? What a map says, held against what the answer depends on, and against the truth.

    opened       an attention cut open: what it mixes, its weights, and all that follows
    inputs       how far the answer moves without an input, and how steeply it rises with one
    agreeing     how alike two explanations rank the inputs, question by question; whether a truth stands on top
    moving       weights permuted, made even, put on one key: how far the answer moves, and how far it could have
    adversary    other weights with the same answer, question by question
    retraining   a whole model that answers alike and looks elsewhere
    guided       a model without context that is given weights: what does a map carry?
    systems      what is asked in the lab, and the first of its systems: sorted questions
    known        the two whose truth is known: dates and clicks

Weights stand in rows, one for each question that is asked of the keys: a text has one, a date one for each digit.
"""
