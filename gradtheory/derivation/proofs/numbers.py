"""Whether two numbers are equal, of which one may be the zero of an equation."""

from collections.abc import Mapping

import sympy

from gradtheory.arithmetic.enclosure import as_rational, enclose, in_symbols
from gradtheory.arithmetic.pair_root import PairRoot
from gradtheory.arithmetic.root import Root
from gradtheory.derivation.language import Measure, OfSigma
from gradtheory.derivation.meaning import Meaning
from gradtheory.derivation.proofs.definitions import in_measures
from gradtheory.derivation.proofs.normal_forms import is_identity, is_nonzero_somewhere
from gradtheory.derivation.proofs.sets import length
from gradtheory.errors import Undecided

_BITS = 128
_MOST_OPERATIONS = 60


def is_equal_number(left: sympy.Expr, right: sympy.Expr, meaning: Meaning) -> bool:
    """Return whether two numbers are proven to be equal: as formulas, or because of the equation of a zero s."""
    difference = in_measures(meaning.formula(_on_pieces(left - right, meaning)))
    lengths = {word: length(word.args[0], (), meaning) for word in difference.atoms(Measure)}
    if None in lengths.values():
        return False
    difference = difference.xreplace(lengths)
    if pairs := difference.atoms(PairRoot):
        return not difference.atoms(Root) and _follows_from_pair(difference, pairs)
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
    return _follows(formula, function.expr.xreplace({variable: s}), {s: Root(function, lower, upper)})


def _on_pieces(expr: sympy.Expr, meaning: Meaning) -> sympy.Expr:
    """Return an expression with the one formula of σ that holds at each place which is a number."""
    words = (word for word in expr.atoms(OfSigma) if meaning.breaks and word.args[0].is_number)
    return expr.xreplace(
        {word: meaning.formula(word, near=as_rational(enclose(word.args[0], _BITS).mid())) for word in words}
    )


def _follows_from_pair(difference: sympy.Expr, pairs: set[PairRoot]) -> bool:
    """Return whether a difference vanishes because both numbers of a pair solve their equations."""
    zeros = {(pair.functions, pair.unknowns, pair.start) for pair in pairs}
    if len(zeros) > 1:
        return False
    ((functions, unknowns, start),) = zeros
    formula = difference.xreplace({pair: pair.value for pair in pairs})
    place = {unknown: PairRoot(functions, unknowns, start, unknown) for unknown in unknowns}
    return any(_follows(formula, defining, place) for defining in functions)


def _follows(formula: sympy.Expr, defining: sympy.Expr, zero: Mapping[sympy.Symbol, sympy.Expr]) -> bool:
    """Return whether a formula is a multiple of one that vanishes at a place, or vanishes everywhere."""
    if any(
        not is_nonzero_somewhere(form) and is_identity(form)
        for form in (formula, formula - defining, formula + defining)
    ):
        return True
    if formula.count_ops() + defining.count_ops() > _MOST_OPERATIONS:
        return False
    try:
        quotient = _divided(formula, defining)
        return bool(enclose(quotient.xreplace(dict(zero)), _BITS).is_finite()) and is_identity(
            formula - quotient * defining
        )
    except (Undecided, TypeError):  # SymPy fails with the latter on some products of roots and exponentials
        return False


def _divided(formula: sympy.Expr, defining: sympy.Expr) -> sympy.Expr:
    """Return a quotient as one fraction of polynomials in exponentials and other functions."""
    unknown, *_ = sorted(defining.free_symbols, key=str)
    quotient = in_symbols(formula / defining, unknown)
    return quotient.written_out(sympy.cancel(sympy.together(quotient.rational)))
