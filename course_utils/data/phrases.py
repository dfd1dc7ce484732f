"""A small part of the French–English pairs for a lesson: short, of common words, and rich in adjectives that cross."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from course_utils.data.text import Pair

_ADJECTIVES = """
red rouge rouges / white blanc blanche blancs blanches / black noir noire noirs noires / green vert verte verts vertes
blue bleu bleue bleus bleues / yellow jaune jaunes / brown brun brune marron / hot chaud chaude / cold froid froide
warm chaud chaude / french français française / english anglais anglaise / american américain américaine
japanese japonais japonaise japonaises / german allemand allemande / chinese chinois chinoise / strange étrange bizarre
weird bizarre / important important importante importants importantes / easy facile / empty vide / young jeune
interesting intéressant intéressante intéressants intéressantes / difficult difficile difficiles / stupid stupide
famous célèbre célèbres / rich riche riches / poor pauvre / foreign étranger étrangère étrangers étrangères
fresh frais fraîche / dangerous dangereux dangereuse / favorite préféré préférée favori favorite / clean propre propres
dirty sale sales / new nouveau nouvelle neuf neuve / intelligent intelligent intelligente / special spécial spéciale
public public publique / private privé privée / serious sérieux sérieuse / expensive cher chère / classical classique
last dernier dernière / next prochain prochaine / married marié mariée / dead mort morte / perfect parfait parfaite
"""
ENGLISH: dict[str, set[str]] = {}  # French form → the English adjectives that it may stand for
for _entry in _ADJECTIVES.replace("\n", " / ").split(" / "):
    for _form in _entry.split()[1:]:
        ENGLISH.setdefault(_form, set()).add(_entry.split()[0])

_NO_NOUN_TEXT = (
    "the and or is it than for to too in as one when with at on by that are was a i you he she if these those this "
    "enough yet today tonight tomorrow yesterday here there again forever once very inside outside without like now "
    "last next young old but of from also "
    "et est très plus trop bien pas aussi le la les ce cette vraiment parler parle un une des deux ton mon son votre "
    "être fait vous plutôt si tout toute était assez moins peu même seul seule charmant charmante"
)
_DETERMINERS_TEXT = (  # what stands right before a noun; not de, à, au: a noun behind these rather describes another
    "le la l' les un une des du ce cet cette ces mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs quel "
    "quelle quels quelles deux trois quelques plusieurs chaque aucun aucune"
)
_NAMES_TEXT = (
    "tom mary boston tokyo paris john jim bob bill mike kyoto ken marie jack nancy jane london york alice osaka taro"
)
_NO_NOUN, _DETERMINERS, _NAMES = (set(text.split()) for text in (_NO_NOUN_TEXT, _DETERMINERS_TEXT, _NAMES_TEXT))


def crossing(pair: Pair) -> tuple[int, int] | None:
    """Finds where an adjective follows its noun in French and precedes it in English; None if nowhere.

    Shapes: a pair of token tuples → the position of the noun in the source, and of the adjective in the target.
    "une robe rouge" and "a red dress": noun and adjective stand at 1 and 2 in French, at 2 and 1 in English. A noun is
    told by the article or other determiner before it, so that "un œil au beurre noir" and "pas encore morte" have none.
    """
    source = list(pair.source)
    for position in range(1, len(source) - 1):
        determiner, noun, word = source[position - 1 : position + 2]
        if word not in ENGLISH or determiner not in _DETERMINERS or not _may_be_a_noun(noun) or len(noun) < 3:
            continue
        for other, adjective in enumerate(pair.target[:-1]):
            if adjective in ENGLISH[word] and _may_be_a_noun(pair.target[other + 1]):
                return position, other
    return None


def is_name(word: str) -> bool:
    """Says whether a word is a name of the short list, or holds a digit: what a vocabulary can never hold all of."""
    return word in _NAMES or any(sign.isdigit() for sign in word)


def without_names(tokens: Sequence[str]) -> list[str]:
    """Gives the tokens that are no names, to build a vocabulary from."""
    return [token for token in tokens if not is_name(token)]


def lesson_pairs(pairs: Sequence[Pair], common: int = 500, repeat: int = 5) -> list[Pair]:
    """Chooses real pairs that a small model can learn in half a minute.

    Short pairs (6 tokens at most on either side) of the `common` most frequent words of each language, names aside,
    in the given order; and every pair of up to 9 French tokens with an adjective that crosses its noun, `repeat` times.
    """
    short = [pair for pair in pairs if max(map(len, pair)) <= 6]
    sources, targets = (_most_frequent(sentences, common) for sentences in zip(*short, strict=True))
    crossed = [pair for pair in pairs if len(pair.source) <= 9 and crossing(pair)]
    plain = [
        pair
        for pair in short
        if sources.issuperset(without_names(pair.source))
        and targets.issuperset(without_names(pair.target))
        and not crossing(pair)
    ]
    return plain + repeat * crossed


class Phrase(NamedTuple):
    """A sentence around one noun and one adjective, in both languages, and the adjective's position in the target."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    adjective: int


def noun_phrases(before: bool = False) -> list[Phrase]:
    """Makes sentences of one noun and one adjective: ten nouns by five adjectives by four frames.

    The adjectives are colours, which follow their noun in French, or, with `before`, such as stand before it there as
    in English (petit, grand, vieux, beau, bon). They agree with the noun: un chien noir, une robe noire.
    """
    masculine = {"chien": "dog", "chapeau": "hat", "manteau": "coat", "vin": "wine", "chat": "cat"}
    feminine = {"voiture": "car", "robe": "dress", "maison": "house", "fleur": "flower", "chemise": "shirt"}
    made = []
    for gender, nouns in enumerate((masculine, feminine)):
        for noun, thing in nouns.items():
            for adjective, forms in (_BEFORE if before else _BEHIND).items():
                form = forms.split()[gender]
                words = {"a": ("un", "une")[gender], "the": ("le", "la")[gender], "adjective": adjective}
                words |= {"both": f"{form} {noun}" if before else f"{noun} {form}", "thing": thing}
                for french, english, position in _FRAMES:
                    source, target = (tuple(side.format(**words).split()) for side in (french, english))
                    made.append(Phrase(source, target, position))
    return made


_BEHIND = {"red": "rouge rouge", "white": "blanc blanche", "black": "noir noire", "green": "vert verte",
           "blue": "bleu bleue"}  # fmt: skip
_BEFORE = {"small": "petit petite", "big": "grand grande", "old": "vieux vieille", "beautiful": "beau belle",
           "good": "bon bonne"}  # fmt: skip
_FRAMES = [
    ("j' ai {a} {both} .", "i have a {adjective} {thing} .", 3),
    ("c' est {a} {both} .", "it's a {adjective} {thing} .", 2),
    ("{the} {both} est ici .", "the {adjective} {thing} is here .", 1),
    ("elle veut {a} {both} .", "she wants a {adjective} {thing} .", 3),
]


def _may_be_a_noun(word: str) -> bool:
    return word.isalpha() and word not in _NO_NOUN


def _most_frequent(sentences: Sequence[Sequence[str]], number: int) -> set[str]:
    times = Counter(word for sentence in sentences for word in sentence)
    return {word for word, _ in times.most_common(number)}
