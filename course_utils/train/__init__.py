"""Training: the small loop of the lessons, and long runs: `python -m course_utils.train g2p --minutes 10`.

This is the order to read in: each file imports only files that stand before it.

Settings: what a run is.
    options      a field of a dataclass that says all about itself: kind, default, help, range
    settings     everything that decides a result, each spelled once, and the recipe of each task
    tasks        data, vocabularies and model of a task

Loop: how a model gets better, and how good it is.
    schedule     how far a training has come, the share of its budget, and the learning rate
    bars         a bar for people, a plain line for log files
    fit          the small loop of the lessons
    epochs       the same for a classifier, epoch by epoch
    pictures     the same for a model that sorts pictures, shifted if wanted
    clicks       the same for a model of clicks
    engine       the same for the shop's engine and the learned search beside it; AUC on a page
    metrics      edit distance, error rates, BLEU
    ranking      ranks, hit rate, NDCG, AUC; the next film of every history, trained and asked
    forgetting   where in a word the errors are
    perplexity   how well a language model guesses, beside counts of pairs and triples; what it writes
    evaluation   how good a trained model is: exact match, WER and PER, BLEU; by length; with examples
    precision    bfloat16 and TF32, where they help
    distributed  several processes, one for each device
    loop         the long loop: by steps or by minutes, stopped and taken up again

Run: from start to report.
    reports      what came out, as JSON; `load_report` reads it back, `stored` gives those that came with the course
    picture      the same as a picture
    checkpoint   a run on disk, safe against being killed at any moment; `load_model`
    allocator    memory that is kept between steps
    run          one run from start to report
    command      the command line
"""
