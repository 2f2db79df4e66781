"""The check of an implementation of gradients: on generated cases, on fixed ones, and on one alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy.typing as npt

from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.inputs import Array, read_array, read_count
from gradtheory.arithmetic.kinds import read_function, read_items
from gradtheory.errors import Undecided
from gradtheory.random_weights.floats import FLOAT_TYPES, FloatType, read_float_type
from gradtheory.testing.cases import Source, fixed_cases
from gradtheory.testing.message import message
from gradtheory.testing.verdict import Case, Failure, Implementation, judge
from gradtheory.typing import ArrayLike

_MOST_CASES = 1_000_000
_ALWAYS = 60  # fixed cases that come after hypothesis's: every kind of case, every saturating bias
_KINKS = ("one-sided", "either")
_SMALLEST = "smallest failing case"

_C = TypeVar("_C", bound=Case)


@dataclass(frozen=True)
class Check:
    """An implementation, and by which rules its gradients are judged."""

    fn: Implementation
    dtype: FloatType
    either_at_kinks: bool

    @classmethod
    def of(cls, fn: Implementation, dtype: npt.DTypeLike, at_kinks: str) -> "Check":
        """Return the check, or refuse an option by name."""
        return cls(fn, read_float_type(dtype, FLOAT_TYPES), one_of(at_kinks, "at_kinks", _KINKS) == "either")

    def read(self, value: ArrayLike, name: str) -> Array:
        """Return an argument as float64 numbers that are exact in the float type of the check."""
        return self.dtype.rounded(read_array(value, name))

    def read_each(self, arrays: Sequence[ArrayLike], name: str) -> tuple[Array, ...]:
        """Return the arrays of all layers."""
        return tuple(self.read(each, name) for each in read_items(arrays, name, "must be one array for each layer"))

    def judge(self, case: Case) -> Failure | None:
        """Return how the implementation fails on a case; None where it does not."""
        return judge(self.fn, case, self.dtype, self.either_at_kinks)

    def report(self, failure: Failure | None, heading: str = _SMALLEST) -> None:
        """Raise AssertionError for a failure."""
        if failure is not None:
            name = getattr(self.fn, "__name__", "fn")
            raise AssertionError(message(failure, name, self.dtype, heading)) from failure.cause

    def run(self, build: Callable[[Source], _C], cases: int, *, is_small: bool = True) -> None:
        """Judge the implementation on generated cases and on fixed ones, and report the smallest failure.

        Cases that are not small hold more numbers than hypothesis chooses: they are fixed.
        """
        number = read_count(cases, "cases", _MOST_CASES)
        read_function(self.fn, "fn", "must be a function of x, y, w and b")
        decided = 0

        def judge_or_skip(case: _C) -> Failure | None:
            nonlocal decided
            try:
                failure = self.judge(case)
            except Undecided:  # such a case says nothing
                return None
            decided += 1
            return failure

        try:
            from gradtheory.testing.shrinking import can_shrink, smallest
        except ImportError:  # there is no hypothesis
            is_generated = False
        else:
            is_generated = is_small and can_shrink()
        if is_generated:
            self.report(smallest(judge_or_skip, build, number, self.dtype))
        fixed = fixed_cases(build, _ALWAYS if is_generated else number)
        failure = _first(judge_or_skip, fixed)
        if is_generated and failure is not None:
            turn = next(turn for turn, case in enumerate(fixed) if case is failure.case)
            failure = smallest(judge_or_skip, build, number, self.dtype, turn) or failure
        unshrunk = "failing case (with hypothesis it is made smaller)" if is_small else "failing case"
        self.report(failure, _SMALLEST if is_generated else unshrunk)
        if not decided:
            raise Undecided("the exact gradients are not proven in any case, so nothing was checked")


def _first(judge_case: Callable[[_C], Failure | None], cases: Sequence[_C]) -> Failure | None:
    by_size = sorted(cases, key=lambda case: (case[0].depth, case.x.size))
    return next((failure for failure in map(judge_case, by_size) if failure is not None), None)
