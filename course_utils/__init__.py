"""The helper package of the attention course. This page is the floor plan; importing it loads nothing heavy.

    attention   the mechanism in the open: scores, masks, positions, heads, hard and local attention; torch only
    data        dates in many languages, words and their sounds, sentences, digits, the shop and its clicks
    models      encoder and decoder, with and without attention; copying; beam search; small models of the lessons
    plots       the pictures of the course, one grammar for all of them, and fonts for every script
    train       one small training loop, metrics, and the command line for long runs with checkpoints and reports
    explain     is attention an explanation? weights beside other explanations, permuted, and against an adversary
    checks      the checks of the exercises: they compare, and they name the mistake; the bank and its words
    contract    an audit that any attention can be put through, and who can see what: influence, leaks
    clinic      twenty attentions with one fault each: symptoms, the contract's report, the code once the fault is named
    explorer    attention to move over: who looks at whom, in a page that needs no kernel
    court       popular claims about attention: vote, then read the verdict and the cell that decides
    journey     the lessons, which needs which, and how far somebody has come
    printing    numbers that print alike on every machine
    files       a file is written as a whole or not at all
    terminal    what a terminal cannot show becomes a question mark
    runtime     the first line of every notebook
    colab       what a hosted runtime lacks
    __main__    makes the data of all lessons ready: `python -m course_utils`

Imports run one way, from the bottom up: attention → data → models, plots → train → explain, checks. The contract needs
nothing but torch and `printing`, the explorer only `printing` and the fonts, court and journey nothing, so that
they can be taken elsewhere.
"""
