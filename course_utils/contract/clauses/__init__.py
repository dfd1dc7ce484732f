"""The clauses of the contract, in the order of the report."""

from course_utils.contract.clauses.base import Clause
from course_utils.contract.clauses.empty import EMPTY
from course_utils.contract.clauses.equality import EQUALITY
from course_utils.contract.clauses.independence import INDEPENDENCE
from course_utils.contract.clauses.manners import MANNERS
from course_utils.contract.clauses.masks import MASKS
from course_utils.contract.clauses.moves import MOVES
from course_utils.contract.clauses.numbers import NUMBERS
from course_utils.contract.clauses.shapes import SHAPES
from course_utils.contract.clauses.weights import WEIGHTS

CLAUSES: tuple[Clause, ...] = (
    *SHAPES,
    *WEIGHTS,
    *MOVES,
    *MASKS,
    *EMPTY,
    *INDEPENDENCE,
    *NUMBERS,
    *EQUALITY,
    *MANNERS,
)
