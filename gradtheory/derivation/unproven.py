"""Why a step that is numeric cannot be more: what in its statement no proof of this program decides."""

import sympy
from sympy.core.relational import Relational

from gradtheory.arithmetic.root import Root
from gradtheory.derivation.language import AffineMeasure, Constant, Measure, Width


def obstacle(statement: sympy.Basic) -> str:
    """Return what stands in the way of a proof, as a key of the messages under `numeric`.

    Examples
    --------
    >>> x = sympy.Symbol("x")
    >>> obstacle(sympy.Gt(x**2 + 1, 2 * x)), obstacle(sympy.Eq(Measure(x), 2 * x))
    ('sign', 'lengths')

    """
    if statement.has(Measure, AffineMeasure, Width):
        return "lengths"
    if statement.has(Root, Constant) and isinstance(statement, sympy.Eq):
        return "roots"
    return "sign" if isinstance(statement, Relational) and not isinstance(statement, sympy.Eq) else "form"
