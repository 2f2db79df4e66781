"""What the page is asked: an activation, the weights and biases of a chain, and scales; as the query of a link."""

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import gradtheory as gt
from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.inputs import (
    read_count,
    read_nonnegative_float,
    read_positive,
    read_positive_float,
    read_real,
)
from gradtheory.document.messages import LANGUAGES
from gradtheory.errors import InvalidArgument

DEEPEST = 1000
_LONGEST = 60  # characters of a number


@dataclass(frozen=True)
class State:
    """What is asked: numbers are kept as they are written, so that they are taken exactly.

    Parameters
    ----------
    activation : str
        A name in the catalogue, or an expression in z.
    w, b : tuple of str
        The weight and the bias of each layer.
    layer : int
        The layer that is looked at as a neuron of its own.
    c : str
        What exceeds this size explodes.
    x : str
        The input.
    sigma_w, sigma_b : str
        The scales of random weights and biases of wide layers.
    lang : {"en", "zh"}
        The language of the page.

    Raises
    ------
    InvalidArgument
        If one of them breaks a rule; the activation is read only by `record`.

    """

    activation: str = "sigmoid"
    w: tuple[str, ...] = ("7", "5", "5")
    b: tuple[str, ...] = ("1", "-2.5", "-2.5")
    layer: int = 1
    c: str = "1"
    x: str = "-0.1"
    sigma_w: str = "1.5"
    sigma_b: str = "0.3"
    lang: str = "en"

    def __post_init__(self) -> None:
        for name, values in (("w", self.w), ("b", self.b), ("x", (self.x,))):
            for value in values:
                read_real(_brief(value, name), name)
        read_positive(_brief(self.c, "c"), "c")
        read_positive_float(float(read_real(_brief(self.sigma_w, "sigma_w"), "sigma_w")), "sigma_w")
        read_nonnegative_float(float(read_real(_brief(self.sigma_b, "sigma_b"), "sigma_b")), "sigma_b")
        read_count(self.depth, "depth", DEEPEST)
        if len(self.b) != self.depth:
            raise InvalidArgument("b", ", ".join(self.b), f"must be one number, or {self.depth}: one for each layer")
        read_count(self.layer, "layer", self.depth)
        one_of(self.lang, "lang", LANGUAGES)

    @classmethod
    def of_query(cls, query: Mapping[str, str]) -> "State":
        """Return the state that a link holds; what it does not name is as at the start, and other names are ignored."""
        start = cls()
        texts = {name: query[name] for name in ("activation", "c", "x", "sigma_w", "sigma_b", "lang") if name in query}
        w = numbers(query.get("w", ", ".join(start.w)))
        depth = _count(query["depth"], "depth", DEEPEST) if "depth" in query else len(w)
        b = numbers(query["b"]) if "b" in query else start.b if depth == start.depth else ("0",)
        layer = _count(query.get("layer", "1"), "layer", depth)
        return cls(**texts, w=spread(w, depth), b=spread(b, depth), layer=layer)

    @property
    def query(self) -> str:
        """The query of a link that holds this state."""
        return urlencode(
            {
                "activation": self.activation,
                "w": _joined(self.w),
                "b": _joined(self.b),
                "depth": self.depth,
                "layer": self.layer,
                **{name: getattr(self, name) for name in ("c", "x", "sigma_w", "sigma_b", "lang")},
            }
        )

    @property
    def depth(self) -> int:
        """The number of layers."""
        return len(self.w)

    @property
    def record(self) -> gt.Activation:
        """The activation; text is read by `gradtheory.expression`, and never run."""
        return _record(self.activation, self.is_named)

    @property
    def is_named(self) -> bool:
        """Whether the activation is written as a name, such as tanh or elu(alpha=2), and not as an expression in z."""
        return bool(re.fullmatch(r"\s*\w{2,}\s*(\([^()z]*\)\s*)?", self.activation))

    def number(self, name: str) -> float:
        """Return one of the numbers c, x, σ_w and σ_b as a float."""
        return float(read_real(getattr(self, name), name))

    def floats(self, name: str) -> list[float]:
        """Return the weights or the biases as floats."""
        return [float(read_real(each, name)) for each in getattr(self, name)]

    def but(self, **parts: Any) -> "State":
        """Return the state with other parts."""
        return replace(self, **parts)

    def with_depth(self, depth: int) -> "State":
        """Return the chain with fewer layers, or with more like the last one."""
        w, b = ((*values, *values[-1:] * depth)[:depth] for values in (self.w, self.b))
        return self.but(w=w, b=b, layer=min(self.layer, depth))

    def with_layer(self, name: str, value: str) -> "State":
        """Return the chain with another weight or bias of the layer that is looked at."""
        values = [*getattr(self, name)]
        values[self.layer - 1] = value
        return self.but(**{name: tuple(values)})


def numbers(text: str) -> tuple[str, ...]:
    """Return the numbers of a text with commas between them.

    Examples
    --------
    >>> numbers("7, -1/2,0.1")
    ('7', '-1/2', '0.1')

    """
    return tuple(part.strip() for part in re.split("[,，]", text))


def spread(values: Sequence[str], depth: int) -> tuple[str, ...]:
    """Return a number for each layer, where one may be that of all.

    Examples
    --------
    >>> spread(("5",), 3)
    ('5', '5', '5')

    """
    return tuple(values) * depth if len(values) == 1 else tuple(values)


@functools.lru_cache(maxsize=64)
def _record(text: str, is_named: bool) -> gt.Activation:
    return gt.activation(text.strip() if is_named else gt.expression(text))


def _brief(text: str, name: str) -> str:
    if len(text) > _LONGEST:
        raise InvalidArgument(name, text, f"must have at most {_LONGEST} characters, such as 7 or -1/2")
    return text


def _count(text: str, name: str, most: int) -> int:
    if not re.fullmatch("[0-9]{1,6}", text):
        raise InvalidArgument(name, text, f"must be a whole number from 1 to {most}")
    return read_count(int(text), name, most)


def _joined(values: tuple[str, ...]) -> str:
    return ",".join(values[:1] if len(set(values)) == 1 else values)
