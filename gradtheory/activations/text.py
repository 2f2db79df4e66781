"""An activation written as text, such as "z*tanh(log(1 + exp(z)))": read by a walk over its syntax tree, never run.

`ast.parse` only arranges the text in a tree; each node must be of one of the few kinds below, each name in a list.
"""

import ast
import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

import sympy

from gradtheory.activations.record import Activation, Z
from gradtheory.activations.slopes.domain import check_defined, check_defined_at_switches, is_moderate
from gradtheory.errors import InvalidArgument, Undecided

_LONGEST_TEXT = 10_000  # characters
_SHOWN = 20  # characters of a text from an open bracket on
_DEEPEST = 60  # levels of nesting; a sum of n terms has n - 1
_LARGEST_EXPONENT = 100
_MOST_DIGITS = 100  # before or after the point of a number: SymPy may raise to it
_MOST_OPERATIONS = 500
_MOST_PARTS = 2_000
_TOO_DEEP = f"must be nested at most {_DEEPEST} levels deep"
_TOO_HIGH = f"must have exponents of at most {_LARGEST_EXPONENT}, or fractions of such numbers"
_EXAMPLE = "such as 'z*tanh(log(1 + exp(z)))'"

_CONSTANTS = MappingProxyType({"z": Z, "pi": sympy.pi, "E": sympy.E})
_OF_ONE: Mapping[str, Callable[[sympy.Expr], sympy.Expr]] = MappingProxyType(
    {
        **{f.__name__: f for f in (sympy.exp, sympy.log, sympy.sin, sympy.cos, sympy.tan, sympy.atan, sympy.asinh)},
        **{f.__name__: f for f in (sympy.sinh, sympy.cosh, sympy.tanh, sympy.sech, sympy.coth, sympy.erf, sympy.erfc)},
        **{"sqrt": sympy.sqrt, "Abs": sympy.Abs, "abs": sympy.Abs, "sign": sympy.sign},
    }
)
_PARTIAL = frozenset({"log", "tan", "coth"})  # and sqrt, which SymPy writes as a power
_OF_MANY = MappingProxyType({"Max": sympy.Max, "Min": sympy.Min, "max": sympy.Max, "min": sympy.Min})
_RELATIONS = MappingProxyType({ast.Lt: sympy.Lt, ast.LtE: sympy.Le, ast.Gt: sympy.Gt, ast.GtE: sympy.Ge})
_JOINS = MappingProxyType({ast.And: sympy.And, ast.Or: sympy.Or, ast.BitAnd: sympy.And, ast.BitOr: sympy.Or})


def parse(text: str, catalogue: Mapping[str, Any]) -> sympy.Expr:
    """Return the expression in `Z` that a text stands for; the names of a catalogue are functions in it."""
    if not isinstance(text, str):
        raise InvalidArgument("expression", text, f"must be text, {_EXAMPLE}")
    try:
        reader = _Reader(*_tree(text), catalogue)
        reader.check_cancelled()
        return reader.value
    except _Refused as refused:
        raise InvalidArgument("expression", text, str(refused)) from None
    except (ArithmeticError, MemoryError, RecursionError, TypeError, ValueError) as error:  # of max(sqrt(-1), 0), say
        rule = f"must be finite and real in every part ({type(error).__name__} in SymPy)"
        raise InvalidArgument("expression", text, rule) from None


class _Refused(Exception):
    """The rule that a text breaks."""


def _tree(text: str) -> tuple[ast.expr, str]:
    """Return the syntax tree of a text, and the text on one line."""
    if len(text) > _LONGEST_TEXT:
        raise _Refused(f"must have at most {_LONGEST_TEXT} characters, not {len(text)}")
    line = " ".join(text.split())
    if not line:
        raise _Refused(f"must not be empty; write one {_EXAMPLE}")
    if not line.isascii() or not line.isprintable():
        raise _Refused("must be written in plain ASCII characters")
    _require_brackets(line)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Python warns of what it would run badly, such as 2(z)
            return ast.parse(line, mode="eval").body, line
    except (SyntaxError, SyntaxWarning, DeprecationWarning) as error:
        raise _Refused(f"must be one complete expression ({getattr(error, 'msg', error)})") from None
    except (ValueError, MemoryError, RecursionError):
        raise _Refused(_TOO_DEEP) from None


def _require_brackets(line: str) -> None:
    """Refuse brackets that are not closed, or not opened, and say where; and those that are nested too deep."""
    opened: list[int] = []
    for place, character in enumerate(line):
        if character == "(":
            opened.append(place)
        elif character == ")" and not opened:
            raise _Refused(f"must not close a bracket at character {place + 1} that was never opened")
        elif character == ")":
            opened.pop()
        if len(opened) > _DEEPEST:
            raise _Refused(_TOO_DEEP)
    if opened:
        raise _Refused(
            f"must close the bracket that opens at character {opened[-1] + 1}: {line[opened[-1] :][:_SHOWN]!r}"
        )


class _Reader:
    """Build the expression of a tree from the leaves up."""

    def __init__(self, root: ast.expr, line: str, catalogue: Mapping[str, Any]) -> None:
        self._line, self._catalogue, self._operations = line, catalogue, 0
        self._functions = {*_OF_ONE, *_OF_MANY, *catalogue, "Piecewise"}
        self._partial: list[sympy.Expr] = []
        self.value = self._value(root, 1)

    def check_cancelled(self) -> None:
        """Refuse a text such as sqrt(z)**2, of which SymPy makes z, where a part that has gone is not defined."""
        for part in dict.fromkeys(self._partial):
            if self.value.has(sympy.Piecewise) or not self.value.has(part):
                try:
                    check_defined(part)
                    check_defined_at_switches(part)
                except (InvalidArgument, Undecided) as error:
                    raise _Refused(str(error).partition(": ")[2]) from None

    def _noted(self, function: Callable[..., sympy.Expr], *arguments: sympy.Expr) -> sympy.Expr:
        """Return a part that is not defined everywhere as SymPy makes it, and note it."""
        made = function(*arguments)
        if any(each.has(Z) for each in arguments):
            is_same = made.func is function and made.args == arguments
            self._partial.append(made if is_same or _is_root(made) else function(*arguments, evaluate=False))
        return made

    def _value(self, node: ast.AST, depth: int) -> sympy.Expr:
        self._operations += 1
        if depth > _DEEPEST:
            raise _Refused(_TOO_DEEP)
        if self._operations > _MOST_OPERATIONS:
            raise _Refused(f"must have at most {_MOST_OPERATIONS} operations and names")
        built = self._built(node, depth + 1)
        if built.is_number and built.args and not is_moderate(built):
            raise _Refused("must have numbers between 1e-10000 and 1e10000 in every part")
        if built.has(sympy.I, sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
            raise _Refused("must be finite and real in every part")
        if built.is_Pow and built.exp.is_Rational and not _is_moderate(built.exp):
            raise _Refused(_TOO_HIGH)
        return built

    def _built(self, node: ast.AST, depth: int) -> sympy.Expr:  # noqa: PLR0912  # one a kind of node
        match node:
            case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
                return _number(self._line[node.col_offset : node.end_col_offset])
            case ast.Name(id=name):
                if name in _CONSTANTS:
                    return _CONSTANTS[name]
                if name in self._functions:
                    raise _Refused(f"must call {name} with its argument in parentheses, such as {name}(z)")
                raise _Refused(self._unknown(name, _CONSTANTS))
            case ast.UnaryOp(op=ast.UAdd() | ast.USub(), operand=operand):
                inner = self._value(operand, depth)
                return -inner if isinstance(node.op, ast.USub) else inner
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.Pow() as op, right=right):
                return self._combined(op, self._value(left, depth), self._value(right, depth))
            case ast.Call(func=ast.Name(id="Piecewise"), args=arguments, keywords=[]):
                return self._piecewise(arguments, depth)
            case ast.Call(func=ast.Name(id=name)) if name not in self._functions:
                raise _Refused(self._unknown(name, self._functions))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._called(name, [self._value(each, depth) for each in arguments])
            case ast.Compare() | ast.BoolOp():
                raise _Refused("must compare only in the conditions of a Piecewise")
            case ast.BinOp(op=ast.BitXor()):
                raise _Refused("must not hold ^: write ** for a power")
            case ast.Call(func=ast.Constant() | ast.BinOp() | ast.Call() | ast.Attribute()):
                raise _Refused("must call functions by their names; write * for a product")
            case ast.Attribute(attr=name):
                raise _Refused(f"must not hold the attribute .{name}")
        raise _Refused(
            "must hold nothing but numbers, z, pi, E, + - * / **, parentheses, Piecewise and calls of functions"
        )

    def _combined(self, op: ast.operator, left: sympy.Expr, right: sympy.Expr) -> sympy.Expr:
        match op:
            case ast.Add():
                return left + right
            case ast.Sub():
                return left - right
            case ast.Mult():
                return left * right
            case ast.Div():
                if right.is_zero:
                    raise _Refused("must not divide by zero")
                return left * self._noted(sympy.Pow, right, sympy.S.NegativeOne)
        if right.is_Rational and not _is_moderate(right):
            raise _Refused(_TOO_HIGH)
        if left.is_Rational and right.is_Rational and left != 0:
            digits = math.log10(max(abs(int(left.p)), int(left.q)))
            if digits * abs(right) > _MOST_DIGITS:
                raise _Refused(f"must have powers of at most {_MOST_DIGITS} digits")
        return left**right if right.is_Integer and right >= 0 else self._noted(sympy.Pow, left, right)

    def _called(self, name: str, arguments: list[sympy.Expr]) -> sympy.Expr:
        if name in _OF_MANY:
            if len(arguments) < 2:
                raise _Refused(f"must give {name} two or more arguments")
            return _OF_MANY[name](*arguments, evaluate=False)  # SymPy compares all pairs, at length
        if len(arguments) != 1:
            raise _Refused(f"must give {name} one argument, not {len(arguments)}")
        if name == "sqrt":
            return self._noted(sympy.Pow, arguments[0], sympy.S.Half)
        if name in _PARTIAL:
            return self._noted(_OF_ONE[name], arguments[0])
        if name in _OF_ONE:
            return _OF_ONE[name](arguments[0])
        record = self._catalogue[name]
        activation: Activation = record if isinstance(record, Activation) else record()
        if self._size(activation.expr, self._size(arguments[0])) > _MOST_PARTS:
            raise _Refused(f"must have at most {_MOST_PARTS} parts once {name} is written out; nest fewer functions")
        return activation.expr.xreplace({Z: arguments[0]})

    def _size(self, expr: sympy.Basic, of_z: int = 1) -> int:
        """Return the number of parts of an expression in which z stands for so many."""
        if expr == Z:
            return of_z
        return 1 + sum(self._size(part, of_z) for part in expr.args)

    def _piecewise(self, arguments: list[ast.expr], depth: int) -> sympy.Expr:
        pairs: list[tuple[sympy.Expr, Any]] = []
        for pair in arguments:
            if not (isinstance(pair, ast.Tuple) and len(pair.elts) == 2):
                raise _Refused("must give Piecewise pairs, as in Piecewise((z, z > 0), (0, True))")
            noted = len(self._partial)
            value = self._value(pair.elts[0], depth)
            within, self._partial[noted:] = self._partial[noted:], []
            condition = self._condition(pair.elts[1], depth)
            cuts = [(0, each) for _, each in pairs]
            self._partial += [sympy.Piecewise(*cuts, (part, condition), (0, True)) for part in within]
            pairs.append((value, condition))
        if not pairs or pairs[-1][1] != sympy.true:
            raise _Refused("must end a Piecewise with (value, True)")
        return sympy.Piecewise(*pairs)

    def _condition(self, node: ast.AST, depth: int) -> Any:
        if depth > _DEEPEST:
            raise _Refused(_TOO_DEEP)
        match node:
            case ast.Constant(value=True):
                return sympy.true
            case ast.BoolOp(op=op, values=parts):
                return _JOINS[type(op)](*(self._condition(each, depth + 1) for each in parts))
            case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr() as op, right=right):
                return _JOINS[type(op)](self._condition(left, depth + 1), self._condition(right, depth + 1))
            case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in _RELATIONS for op in ops):
                sides = [self._value(each, depth) for each in (left, *others)]
                pairs = zip(ops, sides[:-1], sides[1:], strict=True)
                return sympy.And(*(_RELATIONS[type(op)](left, right) for op, left, right in pairs))
        raise _Refused("must have as conditions comparisons by < <= > >=, in parentheses beside & and |, or True")

    @staticmethod
    def _unknown(name: str, known: Iterable[str]) -> str:
        by_lower = {each.lower(): each for each in known}
        near = [by_lower[each] for each in get_close_matches(name.lower(), by_lower, n=3, cutoff=0.6)]
        hint = f"the nearest names are {', '.join(near)}" if near else "the variable is z"
        return f"must not hold the name {name[:30]!r}; {hint}"


def _is_root(part: sympy.Expr) -> bool:
    """Return whether a part is |u| or a power of it, as SymPy writes the roots of u²."""
    return isinstance(part.as_base_exp()[0], sympy.Abs) and bool(part.as_base_exp()[1].is_positive)


def _is_moderate(exponent: sympy.Rational) -> bool:
    return bool(abs(exponent) <= _LARGEST_EXPONENT and exponent.q <= _LARGEST_EXPONENT)


def _number(digits: str) -> sympy.Rational:
    try:
        number = Decimal(digits)
    except InvalidOperation:  # hexadecimal, binary or octal
        raise _Refused(f"must have decimal numbers, not {digits[:30]}") from None
    if len(digits) > _MOST_DIGITS or (number and abs(number.adjusted()) > _MOST_DIGITS):
        raise _Refused(f"must have numbers of at most {_MOST_DIGITS} digits before or after the point")
    return sympy.Rational(*number.as_integer_ratio())
