"""Steps of a traced torch module as ONNX names them: norms and gates written by hand fall under the same rules."""

from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.networks.readers.onnx_patterns import Pattern, patterns

_OF_TWO = {"mul": "Mul", "multiply": "Mul", "add": "Add", "sub": "Sub", "subtract": "Sub", "pow": "Pow"}
_OF_TWO |= {"truediv": "Div", "div": "Div", "divide": "Div"}
_OF_ONE = {"sqrt": "Sqrt", "reciprocal": "Reciprocal", "erf": "Erf", "tanh": "Tanh", "sigmoid": "Sigmoid"}
_OF_ONE |= {"softplus": "Softplus", "abs": "Abs", "log": "Log"}


_CASTS, _EXACT_TYPES = ("to", "float", "double"), ("torch.float32", "torch.float64")


class _Attribute(NamedTuple):
    name: str
    i: int = 0
    ints: tuple[int, ...] = ()


class _Operator(NamedTuple):
    op_type: str
    input: list[str]
    output: list[str]
    attribute: tuple[_Attribute, ...] = ()


def written_by_hand(steps: Iterable[Any], arrays: Mapping[Any, Array]) -> dict[str, Pattern]:
    """Return what is written in several steps, by the name of the last; nobody else takes what is computed within.

    Parameters
    ----------
    steps : iterable of torch.fx.Node
        In their order.
    arrays : mapping of torch.fx.Node to ndarray
        The parameters.

    """
    steps = list(steps)
    numbers = {step.name: array for step, array in arrays.items()}
    operators: list[_Operator] = []
    same: dict[str, str] = {}  # what a cast gives is what it takes
    for step in steps:
        if is_cast(step) and step.meta["is_passed"]:
            same[step.name] = same.get(step.args[0].name, step.args[0].name)
        for made in _operators(step, numbers):
            operators.append(made._replace(input=[same.get(name, name) for name in made.input]))
    users = {step.name: {user.name for user in step.users} for step in steps}
    return {
        name: pattern
        for name, pattern in patterns(operators, numbers).items()
        if all(users.get(inner, set()) <= {name, *pattern.within} for inner in pattern.within)
    }


def is_type(step: Any) -> bool:
    """Return whether a step gives the type of a tensor."""
    return step.op == "call_function" and step.target is getattr and step.args[1] == "dtype"


def is_cast(step: Any) -> bool:
    """Return whether a step turns floats into floats that are no shorter, or of the type of a tensor of the module."""
    if step.op != "call_method" or step.target not in _CASTS or step.kwargs:
        return False
    return all(is_type(each) if hasattr(each, "op") else str(each) in _EXACT_TYPES for each in step.args[1:])


def _operators(step: Any, numbers: dict[str, Array]) -> list[_Operator]:
    """Return a step as operators, and note its numbers; none where it is something else, or no gradient passes it."""
    name = step.target if isinstance(step.target, str) else getattr(step.target, "__name__", "")
    if step.op not in ("call_function", "call_method") or name.endswith("_") or not step.meta["is_passed"]:
        return []
    taken = [_taken(each, f"{step.name}.{k}", numbers) for k, each in enumerate(step.args)]
    match name, len(taken):
        case "mean", _:
            return [_mean(step)]
        case _ if step.kwargs or not taken or None in taken:
            return []
        case "square", 1:
            return [_Operator("Mul", taken * 2, [step.name])]
        case "rsqrt", 1:
            root = f"{step.name}.root"
            return [_Operator("Sqrt", taken, [root]), _Operator("Reciprocal", [root], [step.name])]
    kind = {1: _OF_ONE, 2: _OF_TWO}.get(len(taken), {}).get(name)
    return [] if kind is None else [_Operator(kind, taken, [step.name])]


def _mean(step: Any) -> _Operator:
    axes = step.kwargs.get("dim", step.args[1] if len(step.args) > 1 else None)
    keeps = step.kwargs.get("keepdim", step.args[2] if len(step.args) > 2 else False)
    ints = (axes,) if isinstance(axes, int) else tuple(axes or ())
    options = (_Attribute("axes", ints=ints), _Attribute("keepdims", i=int(bool(keeps))))
    return _Operator("ReduceMean", [_taken(step.args[0], "", {})], [step.name], options)


def _taken(value: Any, name: str, numbers: dict[str, Array]) -> Any:
    """Return the name of what a step takes, that of a number being its own; None for what is neither."""
    if hasattr(value, "op"):
        return value.name
    if not isinstance(value, Real):
        return None
    numbers[name] = np.asarray(float(value))
    return name
