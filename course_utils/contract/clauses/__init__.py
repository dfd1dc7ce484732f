"""The clauses of the contract, in the order of the report."""

from course_utils.contract.clauses.asking import ASKING
from course_utils.contract.clauses.base import Clause
from course_utils.contract.clauses.empty import EMPTY
from course_utils.contract.clauses.equality import EQUALITY
from course_utils.contract.clauses.independence import INDEPENDENCE
from course_utils.contract.clauses.lengths import MANY
from course_utils.contract.clauses.manners import MANNERS
from course_utils.contract.clauses.masks import MASKS
from course_utils.contract.clauses.moves import MOVES
from course_utils.contract.clauses.numbers import NUMBERS
from course_utils.contract.clauses.padding import PADDING
from course_utils.contract.clauses.places import PLACES
from course_utils.contract.clauses.shapes import SHAPES
from course_utils.contract.clauses.steps import STEPS
from course_utils.contract.clauses.weights import WEIGHTS

CLAUSES: tuple[Clause, ...] = (
    *SHAPES,
    *MANY,
    *WEIGHTS,
    *MOVES,
    *ASKING,
    *MASKS,
    *PADDING,
    *STEPS,
    *EMPTY,
    *PLACES,
    *INDEPENDENCE,
    *NUMBERS,
    *EQUALITY,
    *MANNERS,
)
