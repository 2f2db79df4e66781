"""Expressions from text: parsed by Python's grammar, matched against a whitelist, never evaluated."""

import ast
import re
from collections.abc import Callable, Iterator
from fractions import Fraction

from gradtheory.checker.terms import FUNCTIONS, Malformed, Term, in_order, number, total

_LONGEST_TEXT = 10_000  # characters
_DEEPEST = 60
_LARGEST_POWER = 1_000
_PARTIAL = frozenset({"log", "tan", "coth", "acosh", "atanh"})
_CONDITIONS = frozenset({"<", "<=", "Eq", "&", "|", "True"})
_ALLOWED = re.compile(r"[A-Za-z0-9_+\-*/(),<>=&| ]*")
_NUMBER = re.compile(r"(?<![A-Za-z0-9_])\d\w*", re.ASCII)
_PLAIN = re.compile(r"0|[1-9]\d*", re.ASCII)  # one spelling for one number; Python's grammar has others


def read(text: str, *, whole: bool = False) -> Term:
    """Return the term that a text means.

    Parameters
    ----------
    text : str
        An expression.
    whole : bool
        Whether it is refused if its normal form is defined where one of its parts is not, as that of z + 1/z - 1/z.

    Raises
    ------
    Malformed
        If it is too long, too deep, or uses anything but what `gradtheory.checker` lists.

    Examples
    --------
    >>> read("z/(1 + z)") == read("(z + 1)**(-1)*z")
    True

    """
    if len(text) > _LONGEST_TEXT:
        raise Malformed(f"longer than {_LONGEST_TEXT} characters")
    if not _ALLOWED.fullmatch(text) or text != text.strip() or not all(map(_PLAIN.fullmatch, _NUMBER.findall(text))):
        raise Malformed(f"not an expression: {text[:40]}")
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, RecursionError, MemoryError, ValueError):
        raise Malformed(f"not an expression: {text[:40]}") from None
    return _read(tree.body, 0, _nothing_cancels if whole else lambda term, parts: None)


def _nothing_cancels(term: Term, parts: list[Term]) -> None:
    if term.head != "Piecewise" and not {name for part in parts for name in partial(part)} <= set(partial(term)):
        raise Malformed("a part that is not defined everywhere cancels")


def partial(term: Term) -> Iterator[str]:
    """Yield what names the parts that may be undefined: denominators, roots, logarithms and the like.

    Those within a Piecewise are named with it: they are asked for only where their condition holds.
    """
    inside = f"{term.key}: " if term.head == "Piecewise" else ""
    if term.head in _PARTIAL and not (term.head == "log" and term.args[0].is_positive_constant):
        yield f"{term.head}({term.args[0].key})"
    if term.head == "^" and not term.args[0].is_positive_constant:
        base = term.args[0].key
        yield from [f"1/({base})"] * (term.value < 0) + [f"root({base})"] * (term.value.denominator > 1)
    for argument in term.args:
        yield from (inside + name for name in partial(argument))


def conditions(term: Term) -> Iterator[tuple[Term, tuple[int, ...]]]:
    """Yield terms on which it hangs whether parts are defined, each with the factors, 1 and -1, that do not matter."""
    if term.head in _PARTIAL and "z()" in term.key:
        (argument,) = term.args
        repeats = argument.apply("cos") if term.head == "tan" else argument
        yield repeats, (1, -1) if term.head in {"tan", "coth", "atanh"} else (1,)
    if term.head == "^" and "z()" in term.key and (term.value < 0 or term.value.denominator > 1):
        yield term.args[0], (1, -1) if term.value.denominator == 1 else (1,)
    for argument in term.args:
        yield from conditions(argument)


def _read(node: ast.expr, depth: int, note: Callable[[Term, list[Term]], None], *, condition: bool = False) -> Term:
    """Return the term of a value, or of a condition."""
    if depth > _DEEPEST:
        raise Malformed(f"nested deeper than {_DEEPEST}")
    parts: list[Term] = []

    def inner(part: ast.expr, *, condition: bool = False) -> Term:
        parts.append(_read(part, depth + 1, note, condition=condition))
        return parts[-1]

    term = _read_node(node, inner)
    if (term.head in _CONDITIONS) != condition:
        raise Malformed("a condition stands outside Piecewise, or a value where a condition belongs")
    note(term, parts)
    return term


def _read_node(node: ast.expr, inner: Callable[..., Term]) -> Term:  # noqa: PLR0911  # one a kind of node
    match node:
        case ast.Constant() | ast.Name():
            return _atom(node)
        case ast.UnaryOp(op=ast.USub()):
            return -inner(node.operand)
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return total(-inner(part) if negative else inner(part) for part, negative in _summands(node))
        case ast.BinOp(op=ast.Div()):
            return inner(node.left) * inner(ast.BinOp(node.right, ast.Pow(), ast.Constant(-1)))
        case ast.BinOp() if type(node.op) in _OPERATIONS:
            return _OPERATIONS[type(node.op)](inner(node.left), inner(node.right))
        case ast.BinOp() if type(node.op) in _JOINED:
            return Term(_JOINED[type(node.op)], tuple(inner(part, condition=True) for part in (node.left, node.right)))
        case ast.Compare(ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
            return _COMPARISONS[type(op)](inner(node.left), inner(right))
        case ast.Call(func=ast.Name(id="Piecewise"), keywords=[]):
            pairs = [pair.elts for pair in node.args if isinstance(pair, ast.Tuple) and len(pair.elts) == 2]
            if pairs and len(pairs) == len(node.args):
                both = [(inner(value), inner(where, condition=True)) for value, where in pairs]
                return Term("Piecewise", tuple(part for pair in both for part in pair))
        case ast.Call(func=ast.Name(id=name), keywords=[]):
            return _call(name, [inner(part) for part in node.args])
    raise Malformed(f"not allowed in an expression: {type(node).__name__}")


def _summands(node: ast.expr) -> list[tuple[ast.expr, bool]]:
    """Return the parts of a + b - c + …, which Python nests to the left, and whether each is subtracted."""
    parts = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        parts.append((node.right, isinstance(node.op, ast.Sub)))
        node = node.left
    return [(node, False), *reversed(parts)]


def _atom(node: ast.Constant | ast.Name) -> Term:
    match node:
        case ast.Constant(value=bool()):
            return Term("True") if node.value else Term("|")  # one of no conditions
        case ast.Constant(value=int() as value):
            return number(value)
        case ast.Name(id="z" | "pi"):
            return Term(node.id)
        case ast.Name(id="E"):
            return number(1).apply("exp")
    raise Malformed("not allowed in an expression: a name or constant other than z, pi, E and integers")


def _power(base: Term, exponent: Term) -> Term:
    if exponent.head != "number":
        return (exponent * base.apply("log")).apply("exp")
    if abs(exponent.value) > _LARGEST_POWER or exponent.value.denominator > _LARGEST_POWER:
        raise Malformed(f"a power is greater than {_LARGEST_POWER}")
    return base.power(exponent.value)


_OPERATIONS: dict[type[ast.operator], Callable[[Term, Term], Term]] = {
    ast.Mult: lambda left, right: left * right,
    ast.Pow: _power,
}
_JOINED: dict[type[ast.operator], str] = {ast.BitAnd: "&", ast.BitOr: "|"}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Term, Term], Term]] = {
    ast.Lt: lambda left, right: Term("<", (left, right)),
    ast.LtE: lambda left, right: Term("<=", (left, right)),
    ast.Gt: lambda left, right: Term("<", (right, left)),
    ast.GtE: lambda left, right: Term("<=", (right, left)),
}


def _call(name: str, args: list[Term]) -> Term:
    match name, args:
        case "sqrt", [each]:
            return each.power(Fraction(1, 2))
        case "Max" | "Min", [_, _, *_]:
            return Term(name, in_order(args))
        case ("Abs" | "sign", [_]) | ("Eq", [_, _]):
            return Term(name, tuple(args))
        case _, [each] if name in FUNCTIONS:
            return each.apply(name)
    raise Malformed(f"not a function of {len(args)} arguments in certificates: {name[:40]}")
