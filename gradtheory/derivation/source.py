"""The Python that makes a derivation again, as its document shows it."""

import re
from collections.abc import Mapping
from fractions import Fraction
from numbers import Real

import sympy

from gradtheory.activations import Activation, activation_names
from gradtheory.derivation.topics import TOPICS, Question

_WIDEST_CODE = 76  # letters of a line on paper


def python_of(question: Question, lang: str) -> str:
    """Return the Python that makes a derivation again."""
    names = (*TOPICS[question.topic].used(bool(question.values)), "letters")
    values = {name: getattr(question, name) for name in names}
    arguments = [f"{name}={_python(value)}" for name, value in values.items() if not _is_left_out(name, value)]
    imports = ["import gradtheory as gt"]
    if "sympy." in " ".join(arguments):
        imports.insert(0, "import sympy")
    arguments = [repr(question.topic), *arguments, f"lang={lang!r}"]
    call = f"derivation = gt.derive({', '.join(arguments)})"
    if len(call) > _WIDEST_CODE:  # a listing must not break inside of a text
        lines = [line for argument in arguments for line in _on_lines(f"{argument},")]
        call = "\n".join(["derivation = gt.derive(", *lines, ")"])
    return "\n".join([*imports, "", call, "report = derivation.check()", "assert report.ok", "report"])


def _on_lines(argument: str) -> list[str]:
    """Return an argument of a call: numbers by name on several lines where they are many."""
    first, *others = re.split(r"(?:(?<=',)|(?<='\),)) ", argument)
    lines = [first]
    for item in others:
        is_short = len(lines[-1]) + len(item) < _WIDEST_CODE - 8
        lines[-1:] = [f"{lines[-1]} {item}"] if is_short else [lines[-1], item]
    return [f"{'        ' if place else '    '}{line}" for place, line in enumerate(lines)]


def _is_left_out(name: str, value: object) -> bool:
    """Return whether an argument is taken for granted: the squared loss, no values, all parameters."""
    return (name, value) in (("loss", "squared"), ("values", {}), ("letters", {}))


def _python(value: object) -> str:
    """Return an argument of `gradtheory.derive` as Python."""
    match value:
        case Activation():
            name = value.source or value.name  # of the catalogue: with its parameters, such as "elu(alpha=2)"
            is_known = isinstance(name, str) and (value.source or name.partition("(")[0] in activation_names())
            return repr(name) if is_known else f"gt.expression({str(value.expr)!r})"
        case sympy.Symbol():
            return f"sympy.Symbol({value.name!r}, integer=True, positive=True)"
        case Mapping():
            return f"{{{', '.join(f'{str(name)!r}: {_python_number(number)}' for name, number in value.items())}}}"
        case _:
            return repr(value)


def _python_number(number: object) -> str:
    """Return a number, or a letter, as Python: text, which is exact, but for irrational numbers and floats."""
    if getattr(number, "ndim", None) == 0 and hasattr(number, "item"):  # as `read_real` takes it
        number = number.item()
    match number:
        case float() | sympy.Float():
            return repr(str(sympy.Rational(number)))  # its binary value
        case sympy.Expr() if not number.is_Rational:
            return f"sympy.sympify({str(number)!r})"
        case Real() if hasattr(number, "as_integer_ratio") and not isinstance(number, int | Fraction):
            return repr(str(sympy.Rational(*number.as_integer_ratio())))  # other floats of NumPy
    return repr(str(number))
