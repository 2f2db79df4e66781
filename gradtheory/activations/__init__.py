"""The catalogue: every `Activation` defined in a module of this package, by name.

Adding an activation touches one file: define a record, or a `Family` of records with parameters, in the module of its
kind.
"""

import contextlib
import importlib
import inspect
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType
from typing import Any

import sympy

from gradtheory.activations.family import Family
from gradtheory.activations.own import own_activation
from gradtheory.activations.record import Activation, Branch, SignOfBend, T, WidestPoint, Z
from gradtheory.activations.text import parse
from gradtheory.arithmetic.inputs import read_real
from gradtheory.arithmetic.sources import activations, module_of_activation
from gradtheory.errors import GradTheoryError, InvalidArgument
from gradtheory.typing import ActivationLike, NumberLike

__all__ = [
    "Activation",
    "Branch",
    "SignOfBend",
    "Family",
    "WidestPoint",
    "T",
    "Z",
    "activation",
    "activation_names",
    "activation_parameters",
    "expression",
]

_OF_SEVERAL = {  # in lower case and without underscores
    "softmax", "logsoftmax", "softmin", "sparsemax", "logsumexp", "maxout", "glu", "reglu", "geglu", "swiglu", "crelu",
    "layernorm", "batchnorm", "attention",
}  # fmt: skip
_NOT_ELEMENT_WISE = (
    "is no element-wise activation; gradtheory treats functions of one number z, such as sigmoid or relu"
)
_CALLED_OTHERWISE = {
    "arcsinh": "arsinh", "asinh": "arsinh", "atan": "arctan", "cos": "cosine", "exp": "exponential", "expit": "sigmoid",
    "logistic": "sigmoid", "logsigmoid": "log_sigmoid", "sin": "sine",
}  # fmt: skip
_IN_BRACKETS = r"\((?:[^()]|\([^()]*\))*\)"  # two deep, as log(1 + exp(-3))
_CALL = re.compile(rf"\s*(?P<name>\w+)\s*(\((?P<arguments>(?:[^()]|{_IN_BRACKETS}){{0,3000}})\))?\s*", re.ASCII)


def activation_names() -> tuple[str, ...]:
    """Return the names in the catalogue, in alphabetical order.

    Examples
    --------
    >>> "sigmoid" in activation_names()
    True

    """
    return tuple(_catalogue())


def activation(activation: ActivationLike, **parameters: NumberLike) -> Activation:
    """Return the record of an activation.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        A name in the catalogue, with parameters in brackets if wanted: "elu", "elu(2)", "elu(alpha=2)". Or your own
        activation: a SymPy expression in one real symbol. A record is returned as it is.
    **parameters : number
        Parameters of a family, such as ``alpha=2``.

    Raises
    ------
    InvalidArgument
        If there is no such name or parameter, and the message names the nearest ones; if a parameter is out of range;
        or if an expression is not in one real symbol, or is not proven finite and real for every z.

    Examples
    --------
    >>> activation("tanh").slope_expr
    cosh(z)**(-2)
    >>> activation("leaky_relu(1/5)") == activation("leaky_relu", slope="0.2")
    True
    >>> u = sympy.Symbol("u", real=True)
    >>> activation(u * sympy.exp(-u**2)).expr
    z*exp(-z**2)

    """
    if isinstance(activation, Activation | sympy.Basic) and parameters:
        raise InvalidArgument("parameters", parameters, "belong to a name in the catalogue, such as 'elu'")
    if isinstance(activation, Activation):
        return activation
    if isinstance(activation, sympy.Basic):
        return own_activation(activation)
    return _build(activation, parameters)


def expression(text: str) -> sympy.Expr:
    """Return the SymPy expression in a real symbol z that a text stands for; nothing in the text is ever run.

    Parameters
    ----------
    text : str
        Numbers (0.1 is exactly 1/10), z, pi, E, + - * / **, parentheses, and calls: exp, log, sqrt, abs, sign, sin,
        cos, tan, sinh, cosh, tanh, sech, coth, atan, asinh, erf, erfc, max, min, the names of the catalogue, and
        Piecewise((value, condition), ..., (value, True)) with < <= > >= joined by ``and``, ``or``, & and |.

    Raises
    ------
    InvalidArgument
        If the text is anything else, is not finite and real, or is too large: more than 10,000 characters, nested more
        than 60 levels deep, 500 operations, exponents beyond 100, numbers of more than 100 digits.

    Examples
    --------
    >>> expression("z*tanh(log(1 + exp(z)))")
    z*tanh(log(exp(z) + 1))
    >>> expression("max(z, 0.01*z) - silu(2*z)")
    -2*z/(1 + exp(-2*z)) + Max(z/100, z)
    >>> expression("z^2")
    Traceback (most recent call last):
    ...
    gradtheory.errors.InvalidArgument: expression = 'z^2': must not hold ^: write ** for a power

    """
    return parse(text, _catalogue())


def _build(name: str, parameters: Mapping[str, NumberLike]) -> Activation:
    """Return the record of a name with parameters, those in brackets after the name among them."""
    item, arguments = _item(name)
    positional, named = _arguments(arguments, name)
    if isinstance(item, Family):
        return item(*positional, **{**parameters, **named})
    if positional or named or parameters:
        if _is_expression(name):
            raise InvalidArgument("activation", name, _no_name(name))
        raise InvalidArgument("activation", name, f"has no parameters; families with parameters: {_families()}")
    return item


def _item(name: str) -> tuple[Activation | Family, str | None]:
    """Return what the catalogue holds under a name, and the text in brackets after it."""
    match = _CALL.fullmatch(name) if isinstance(name, str) else None
    if match is None or match["name"] not in _catalogue():
        raise InvalidArgument("activation", name, _nearest(name))
    return _catalogue()[match["name"]], match["arguments"]


def _arguments(text: str | None, name: str) -> tuple[list[NumberLike], dict[str, NumberLike]]:
    """Return the parameters in brackets after a name: text of numbers, checked as such, or what sqrt(2)/3 is."""
    positional: list[NumberLike] = []
    named: dict[str, NumberLike] = {}
    for part in text.split(",") if text else ():
        key, equals, value = part.rpartition("=")
        if not equals:
            positional.append(_number(value))
        elif key.strip() in named:
            raise InvalidArgument("activation", name, f"gives {key.strip()} twice")
        else:
            named[key.strip()] = _number(value)
    return positional, named


def _number(text: str) -> NumberLike:
    """Return the number that is written as sqrt(2)/3 or pi, as in names of records; other text as it is."""
    with contextlib.suppress(InvalidArgument):
        read_real(text, "")
        return text
    try:
        number = parse(text, {})
    except InvalidArgument:
        return text
    return text if number.free_symbols else number


def activation_parameters(activation: str) -> Mapping[str, sympy.Expr]:
    """Return the parameters of an activation in the catalogue, with their defaults; none for most.

    Examples
    --------
    >>> dict(activation_parameters("elu"))
    {'alpha': 1}

    """
    _build(activation, {})  # refuses wrong parameters in brackets
    item, _ = _item(activation)
    return item.defaults if isinstance(item, Family) else MappingProxyType({})


def _families() -> str:
    return ", ".join(name for name, item in _catalogue().items() if isinstance(item, Family))


class _Catalogue(Mapping[str, Activation | Family]):
    """The catalogue, of which a module is imported when one of its activations is asked for."""

    def __getitem__(self, name: str) -> Activation | Family:
        path = module_of_activation(name) if isinstance(name, str) else None
        if path is None:
            raise KeyError(name)
        return _records_of(path)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(activations())

    def __len__(self) -> int:
        return len(activations())


@cache
def _records_of(path: str) -> Mapping[str, Activation | Family]:
    module = importlib.import_module(f"gradtheory.{path.removesuffix('.py').replace('/', '.')}")
    return {item.name: item for item in vars(module).values() if isinstance(item, Activation | Family)}


@cache
def _catalogue() -> Mapping[str, Activation | Family]:
    return _Catalogue()


def _nearest(name: Any) -> str:
    """Return what would work in place of a name that is none."""
    if not isinstance(name, str):
        return _of_another_library(name)
    word = name.lower().partition("(")[0].strip().rpartition(".")[2]  # of torch.nn.LeakyReLU(0.2)
    if word.replace("_", "") in _OF_SEVERAL:
        return _NOT_ELEMENT_WISE
    if not name.isidentifier() and _is_expression(name):
        return _no_name(name)
    if rule := _broken_rule(name):
        return f"is no name, and as an expression it {rule}"
    if word in _catalogue() and word == name.lower():
        return f"is not in the catalogue, whose names are in lower case: {word!r}"
    near = get_close_matches(_CALLED_OTHERWISE.get(word, word), _catalogue(), n=3, cutoff=0.5)
    return f"is not in the catalogue; the nearest names are {', '.join(near)}" if near else _not_a_name()


def _of_another_library(function: Any) -> str:
    """Return what to pass in place of a function or a layer of NumPy, PyTorch, JAX or Keras, by what it is called."""
    called = getattr(function, "__name__", None) if callable(function) else None
    called = called if isinstance(called, str) else type(function).__name__
    plain = called.lower().replace("_", "")
    if plain in _OF_SEVERAL:
        return _NOT_ELEMENT_WISE
    names = {name.replace("_", ""): name for name in _catalogue()} | _CALLED_OTHERWISE
    if plain not in names or names[plain] not in _catalogue():
        is_own = inspect.isfunction(function)
        return (
            "is a function: pass its formula, such as gradtheory.expression('z*tanh(z)')" if is_own else _not_a_name()
        )
    item = _catalogue()[names[plain]]
    if isinstance(item, Family):
        values = ", ".join(f"{key}={value}" for key, value in item.defaults.items())
        own = f", with its parameter, such as {item.name}({values})"
    else:
        own = ", or 'gelu_tanh' for its approximation by tanh" if item.name == "gelu" else ""
    return f"is a function of another library; pass the name {item.name!r}{own}"


def _no_name(expression: str) -> str:
    return f"is an expression and no name; pass gradtheory.expression({expression!r})"


def _broken_rule(text: str) -> str | None:
    """Return the rule that a text breaks which looks like an expression, by its operators or by an open bracket."""
    if not re.search(r"[*+/^]", text) and text.count("(") == text.count(")"):
        return None
    try:
        parse(text, _catalogue())
    except InvalidArgument as error:
        return error.rule
    return None


def _is_expression(text: str) -> bool:
    try:
        return bool(parse(text, _catalogue()).free_symbols)
    except GradTheoryError:
        return False


def _not_a_name() -> str:
    return (
        f"is not among the {len(_catalogue())} names that gradtheory.activation_names() lists, such as sigmoid or relu"
    )
