"""Whether two numbers are equal, of which one may be the zero of an equation."""

import sympy

from gradtheory.arithmetic.enclosure import enclose
from gradtheory.arithmetic.root import Root
from gradtheory.derivation.language import Measure
from gradtheory.derivation.meaning import Meaning
from gradtheory.derivation.proofs.definitions import in_measures
from gradtheory.derivation.proofs.normal_forms import is_identity
from gradtheory.derivation.proofs.sets import length
from gradtheory.errors import Undecided

_BITS = 128
_MOST_OPERATIONS = 60


def is_equal_number(  # noqa: PLR0911  # one for each way to decide
    left: sympy.Expr, right: sympy.Expr, meaning: Meaning
) -> bool:
    """Return whether two numbers are proven to be equal: as formulas, or because of the equation of a zero s."""
    difference = in_measures(meaning.formula(left - right))
    lengths = {word: length(word.args[0], (), meaning) for word in difference.atoms(Measure)}
    if None in lengths.values():
        return False
    difference = difference.xreplace(lengths)
    roots = difference.atoms(Root)
    zeros = {(root.function, root.lower, root.upper) for root in roots}
    if not zeros:
        return is_identity(difference)
    if len(zeros) > 1:
        return False
    ((function, lower, upper),) = zeros
    s = sympy.Dummy(real=True, positive=True if lower >= 0 else None, negative=True if upper <= 0 else None)
    variable = function.variables[0]
    formula = difference.xreplace({root: root.value.xreplace({variable: s}) for root in roots})
    defining = function.expr.xreplace({variable: s})
    if is_identity(formula) or any(is_identity(formula - sign * defining) for sign in (1, -1)):
        return True
    if formula.count_ops() + defining.count_ops() > _MOST_OPERATIONS:
        return False
    quotient = sympy.simplify(formula / defining)
    zero = Root(function, lower, upper)
    try:
        return bool(enclose(quotient.xreplace({s: zero}), _BITS).is_finite()) and is_identity(
            formula - quotient * defining
        )
    except Undecided:
        return False
