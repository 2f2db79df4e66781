"""What a claim of the source article is, and how its verdict and its derivation are written down."""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import sympy

from gradtheory.activations import Activation, activation
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.enclosure import sign
from gradtheory.chains.symbols import equation
from gradtheory.derivation import Step
from gradtheory.derivation.digits import Rounded
from gradtheory.derivation.meaning import Meaning

SIGMOID = activation("sigmoid")
MEANING = Meaning(SIGMOID)
_DIGITS = 10


class ClaimVerdict(Enum):
    """What became of a claim; the value is the key of its words in the message catalogue."""

    HOLDS = "holds"
    EVERY_DEPTH = "every_depth"
    CORRECTED = "corrected"
    FAILS = "fails"


@dataclass(frozen=True)
class Finding(ShownAsTable):
    """What the computation says of a claim.

    Parameters
    ----------
    verdict : ClaimVerdict
    steps : tuple of Step
        The derivation.
    computed : mapping of str to str
        LaTeX of the numbers that the prose shows.
    rows : tuple of tuple of str
        Those of its table, as prose; the titles of the columns stand in the message catalogue.

    """

    verdict: ClaimVerdict
    steps: tuple[Step, ...]
    computed: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[tuple[str, ...], ...] = ()

    def __repr__(self) -> str:
        return f"Finding({self.verdict.value}: {len(self.steps)} steps, {len(self.computed)} numbers)"


@dataclass(frozen=True)
class Claim(ShownAsTable):
    """A claim of the article.

    Parameters
    ----------
    name : str
        The key of its prose in the message catalogue.
    claimed : mapping
        What the article states, as data.
    judge : callable
        What is computed from it.
    paragraphs : tuple of int
        Where the article states it, counted from the paragraph after its title, headings and captions included.

    Examples
    --------
    >>> from gradtheory.pages.article import CLAIMS
    >>> claim = next(claim for claim in CLAIMS if claim.name == "maximum")
    >>> claim.finding().verdict, claim.finding(value="1/3").verdict
    (<ClaimVerdict.HOLDS: 'holds'>, <ClaimVerdict.FAILS: 'fails'>)

    """

    name: str
    claimed: Mapping[str, Any] = field(repr=False)
    judge: Callable[..., Finding] = field(repr=False)
    paragraphs: tuple[int, ...] = ()

    def finding(self, **changed: Any) -> Finding:
        """Judge the claim, or the claim with some of its numbers changed."""
        return self.judge(**{**self.claimed, **changed}) if changed else self._as_stated

    @functools.cached_property
    def _as_stated(self) -> Finding:
        return self.judge(**self.claimed)


def step(left: sympy.Expr, right: sympy.Expr, rule: str, **more: Any) -> Step:
    """Return the step of an equation, with the sigmoid for σ."""
    return Step(equation(left, right), rule, MEANING, **more)


def digits_of(number: sympy.Expr, rule: str, digits: int = _DIGITS) -> Step:
    """Return the step of a number with its digits."""
    return Step(Rounded.of(number, MEANING.value(number, {}), digits), rule, MEANING)


def place_of_steepest(record: Activation) -> sympy.Expr:
    """Return the greatest z at which |σ'| is greatest."""
    branches = record.profile.branches
    ends = [end for each in branches for end in ((each.slope_left, each.left), (each.slope_right, each.right))]
    return max((z for height, z in ends if sign(abs(height) - record.steepest_slope) == 0), key=float)


def holds_if(condition: bool) -> ClaimVerdict:
    """Return the verdict of a claim that holds or does not."""
    return ClaimVerdict.HOLDS if condition else ClaimVerdict.FAILS


def share_that_holds(truths: Iterable[bool]) -> ClaimVerdict:
    """Return the verdict of a claim of several parts: some of them make it one that holds with a correction."""
    parts = list(truths)
    return ClaimVerdict.HOLDS if all(parts) else ClaimVerdict.CORRECTED if any(parts) else ClaimVerdict.FAILS


def all_true(steps: Sequence[Step]) -> bool:
    """Return whether every step was shown."""
    return all(step.verdict.is_true for step in steps)
