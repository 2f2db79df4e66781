"""What the words of statements are by definition: widths by substitution, suprema as bounds."""

from collections.abc import Iterator, Sequence

import sympy

from gradtheory.derivation.language import STEEPEST, WEAK_NORM, AffineMeasure, Measure, Slope, SpectralRadius, Width
from gradtheory.derivation.meaning import Meaning
from gradtheory.derivation.proofs.conditions import follows


def by_definition(statement: sympy.Basic, assumptions: Sequence[sympy.Basic], meaning: Meaning) -> bool:
    """Return whether a statement follows from its assumptions and from what sup|σ'|, K, m and |X_w| are.

    Widths become measures by substitution; |σ'| ≤ sup|σ'| and t·m(t) ≤ K hold because these are suprema.
    """
    statement, *known = (in_measures(each) for each in (statement, *assumptions))
    return follows(statement, (*known, *_suprema([statement, *known], meaning)))


def in_measures(expr: sympy.Basic) -> sympy.Basic:
    """Return an expression with m for widths, lengths stretched by |w| and |k|, and |p| for ρ(p)."""

    def width(w: sympy.Expr, c: sympy.Expr) -> sympy.Expr:
        return Measure(sympy.simplify(c / abs(w))) / abs(w)

    def affine(alpha: sympy.Expr, k: sympy.Expr, t: sympy.Expr) -> sympy.Expr:
        return Measure(t / abs(alpha * k)) / abs(k)

    def radius(*coefficients: sympy.Expr) -> sympy.Expr:
        return abs(coefficients[0]) if len(coefficients) == 1 else SpectralRadius(*coefficients)

    return expr.replace(Width, width).replace(AffineMeasure, affine).replace(SpectralRadius, radius)


def _suprema(statements: Sequence[sympy.Basic], meaning: Meaning) -> Iterator[sympy.Basic]:
    """Yield the bounds by suprema of those slopes and measures that statements speak of."""
    words = set().union(*(each.atoms(Slope, Measure, type(STEEPEST)) for each in statements))
    finite = {word for word in words if word in (STEEPEST, WEAK_NORM) and not meaning.constants[word]().is_infinite}
    for word in sorted(words, key=sympy.default_sort_key):
        if isinstance(word, Slope) and STEEPEST in finite:
            yield sympy.Le(abs(word), STEEPEST)
        if isinstance(word, Measure) and WEAK_NORM in finite:
            yield sympy.Le(word.args[0] * word, WEAK_NORM)
