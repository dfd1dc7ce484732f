"""Long runs of the course's models, from the command line: `python -m course_utils.train g2p --minutes 10`.

settings     everything that decides a result, and the recipe of each task, in one table
tasks        data, vocabularies and model of a task
measures     how good a trained model is: exact match, WER and PER, BLEU; by length; with examples
schedule     the share of the budget that is spent, and the learning rate
loop         the training itself, by steps or by minutes
folder       the folder of a run: free, taken, stopped, finished; `load_model`
checkpoint   the state of a run on disk, safe against being killed at any moment
precision    bfloat16 and TF32, where they help
distributed  several processes, one for each device
progress     a bar for people, a plain line for log files
report       what came out, as JSON; `load_report` reads it back
picture      the same as a picture
run          one run from start to report
command      the command line
"""
