"""What a derivation is asked for, and what it consists of."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sympy

from gradtheory.activations import Activation, Z
from gradtheory.arithmetic.inputs import read_real
from gradtheory.chains.symbols import equation
from gradtheory.derivation.digits import InNumbers
from gradtheory.derivation.facts import FACTS
from gradtheory.derivation.language import Sigma, Width
from gradtheory.derivation.meaning import Meaning
from gradtheory.derivation.step import Step
from gradtheory.errors import InvalidArgument
from gradtheory.typing import NumberLike

EVERY_PARAMETER = "all"  # every weight and bias


@dataclass(frozen=True)
class Question:
    """The arguments of `gradtheory.derive`, checked; a topic looks at those that it states.

    Parameters
    ----------
    topic : str
    activation : Activation
    depth : int or sympy.Symbol
    wrt : str
    loss : str
    values : mapping of str to number
    optimiser : str
    letters : mapping of str to str
        What is written for x, y, w and b.

    """

    topic: str
    activation: Activation
    depth: int | sympy.Symbol
    wrt: str
    loss: str
    values: Mapping[str, NumberLike]
    optimiser: str
    letters: Mapping[str, str]

    @property
    def meaning(self) -> Meaning:
        """What the words stand for."""
        return Meaning(self.activation)

    @property
    def formula(self) -> sympy.Eq:
        """What σ(z) is."""
        return equation(Sigma(Z), self.activation.expr)

    def fact(self, name: str, section: str) -> Step:
        """Return the step that is a named fact."""
        known = FACTS[name]
        return Step(known.statement, name, self.meaning, known.assumptions, known.rule, name, section)

    def numbers(self, *symbols: sympy.Symbol) -> dict[sympy.Symbol, sympy.Expr]:
        """Return the exact values of these symbols: of all of them, or of none where no values were passed."""
        named = {_key(symbol.name): symbol for symbol in symbols}
        values = {_key(name): value for name, value in self.values.items()}
        for name in values:
            if name not in named:
                rule = f"must name {_listed(symbols)}" if named else "takes no values here"
                raise InvalidArgument("values", name, rule)
        if not values:
            return {}
        if missing := [symbol for name, symbol in named.items() if name not in values]:
            rule = f"must be all of {_listed(symbols)}, or none: {_listed(missing)} left out"
            raise InvalidArgument("values", dict(self.values), rule)
        return {symbol: read_real(values[name], f"values[{name!r}]") for name, symbol in named.items()}


@dataclass(frozen=True)
class Answer:
    """A derivation without its words.

    Parameters
    ----------
    definitions : tuple of sympy.Basic
        The definitions that it starts from.
    steps : tuple of Step
    said : tuple of str
        Names of the sentences about what is given that are said, where a topic has several.
    numbers : mapping of symbols to numbers
        The values that were asked for.

    """

    definitions: tuple[sympy.Basic, ...]
    steps: tuple[Step, ...]
    said: tuple[str, ...] = ()
    numbers: Mapping[sympy.Symbol, sympy.Expr] = field(default_factory=dict)

    def numbers_in(self, section: str) -> dict[str, sympy.Expr]:
        """Return the numbers that the steps of a section put in, by their letters."""
        numbers: dict[str, sympy.Expr] = {}
        for statement in (step.statement for step in self.steps if step.section == section):
            if isinstance(statement, InNumbers):
                numbers |= {
                    key.name: value for key, value in statement.numbers.items() if isinstance(key, sympy.Symbol)
                }
            for width in statement.atoms(Width):
                numbers.setdefault("w", width.args[0])
        return numbers

    def __repr__(self) -> str:
        return f"Answer({len(self.definitions)} definitions, {len(self.steps)} steps)"


def _key(name: str) -> str:
    return str(name).replace("_", "")


def _listed(symbols: Sequence[sympy.Symbol]) -> str:
    """Return names as a user writes them: w1, but sigma_w."""
    listed = [re.sub(r"_(?=[0-9])", "", symbol.name) for symbol in symbols]
    return ", ".join(listed if len(listed) <= 12 else [*listed[:6], "…", *listed[-2:]])
