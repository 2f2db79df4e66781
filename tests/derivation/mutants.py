"""Statements that are wrong on purpose: a sign flipped, a factor dropped, a bound widened."""

from collections.abc import Iterator

import sympy
from sympy.core.relational import Relational
from sympy.logic.boolalg import Equivalent

from gradtheory.derivation.depth_language import Convex
from gradtheory.derivation.digits import InNumbers, Rounded
from gradtheory.derivation.meaning import Meaning
from gradtheory.derivation.wide_layers import WideEquation

_MORE = sympy.Rational(1001, 1000)
_FLIPPED = {sympy.Gt: sympy.Lt, sympy.Lt: sympy.Gt, sympy.Ge: sympy.Lt, sympy.Le: sympy.Gt, sympy.Eq: sympy.Ne}


def mutants(  # noqa: PLR0912  # one for each kind of statement
    statement: sympy.Basic, meaning: Meaning
) -> Iterator[sympy.Basic]:
    """Yield false statements near a true one."""
    if isinstance(statement, Rounded):
        number, value, decimals = statement.args
        for other in (-value, value + sympy.Rational(1, 10 ** int(decimals)), value * _MORE):
            yield Rounded(number, other, decimals)
    elif isinstance(statement, InNumbers):
        lhs, rhs, numbers, value, decimals = statement.args
        yield InNumbers(lhs, rhs, numbers, value + sympy.Rational(2, 10 ** int(decimals)), decimals)
        for other in _changed(rhs):
            if abs(meaning.value(other - rhs, statement.numbers).n()) > sympy.Rational(1, 10 ** int(decimals)):
                yield InNumbers(lhs, other, numbers, value, decimals)
    elif isinstance(statement, WideEquation):
        yield WideEquation(statement.lhs, -statement.rhs)
        yield WideEquation(statement.lhs, 2 * statement.rhs)
        if isinstance(statement.rhs, sympy.HadamardProduct):
            for part in statement.rhs.args:
                yield WideEquation(statement.lhs, part)
        if isinstance(statement.rhs, sympy.MatAdd):
            for part in statement.rhs.args:
                yield WideEquation(statement.lhs, part)
    elif isinstance(statement, Convex):
        yield Convex(-statement.function)
        yield Convex(sympy.exp(-statement.function))
    elif isinstance(statement, sympy.Eq):
        for other in _changed(statement.rhs):
            yield sympy.Eq(statement.lhs, other, evaluate=False)
    elif isinstance(statement, Equivalent):
        one, two = statement.args
        for part in sympy.preorder_traversal(two):
            if isinstance(part, Relational):
                for other in _relations(part):
                    yield Equivalent(one, two.xreplace({part: other}), evaluate=False)
    else:
        yield from _relations(statement)


def _relations(relation: Relational) -> Iterator[Relational]:
    yield _FLIPPED[type(relation)](relation.lhs, relation.rhs, evaluate=False)
    wider = -1 if isinstance(relation, sympy.Gt | sympy.Ge) else 1
    yield relation.func(relation.lhs, relation.rhs + sympy.Rational(wider, 50), evaluate=False)


def _changed(expr: sympy.Expr) -> Iterator[sympy.Expr]:
    """Yield an expression with its sign flipped, made greater, and with each factor dropped."""
    if expr == 0 or expr.is_infinite:
        yield sympy.Rational(1, 1000)
        return
    yield -expr
    yield expr * _MORE
    for factor in expr.args if isinstance(expr, sympy.Mul) else ():
        yield sympy.Mul(*(kept for kept in expr.args if kept is not factor))
