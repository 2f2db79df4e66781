"""The smallest case that an implementation fails on: hypothesis generates cases and shrinks a failing one."""

from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, currently_in_test_context, given, settings
from hypothesis.errors import Flaky

from gradtheory.random_weights.floats import FloatType
from gradtheory.testing.cases import Source
from gradtheory.testing.strategies import strategy_of
from gradtheory.testing.verdict import Failure

_C = TypeVar("_C")


def can_shrink() -> bool:
    """Return whether hypothesis can be run: inside another of its tests it cannot."""
    return not currently_in_test_context()


class _Failed(Exception):
    """The implementation failed."""


def smallest(
    judge: Callable[[_C], Failure | None],
    build: Callable[[Source], _C],
    cases: int,
    dtype: FloatType,
    turn: int | None = None,
) -> Failure | None:
    """Return the failure on the smallest failing case; None if none of so many cases fails.

    With a turn, only cases of the kind that has this turn in the fixed list are tried.
    """
    failures: list[Failure] = []

    @settings(
        max_examples=cases,
        database=None,  # the same cases at every run
        derandomize=True,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        report_multiple_bugs=False,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy_of(build, dtype, turn))
    def run(case: _C) -> None:
        failure = judge(case)
        if failure is not None:
            failures.append(failure)
            raise _Failed

    try:
        run()
    except (_Failed, Flaky):  # the last case that hypothesis runs is the smallest
        return failures[-1]
    return None
