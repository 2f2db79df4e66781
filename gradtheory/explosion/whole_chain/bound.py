r"""A bound on the length of the total explosion set that holds at any depth and for any weights, and what it rests on.

In class N it is H/c (see `depth`). For monotone σ without jumps, with values of the last in an interval of length ℓ,
∂a_L/∂x has one sign and an integral of at most ℓ, so that the set measures at most ℓ/c (Markov's inequality).
"""

import contextlib

import sympy

from gradtheory.activations import Activation
from gradtheory.arithmetic.effort import EFFORT
from gradtheory.arithmetic.inputs import read_positive
from gradtheory.chains.chain import Chain
from gradtheory.chains.reading import read_chain
from gradtheory.errors import Undecided
from gradtheory.explosion.budget import limited
from gradtheory.explosion.depth import depth_bound, membership
from gradtheory.typing import NumberLike


@limited
def total_explosion_bound(chain: Chain, *, threshold: NumberLike = 1, effort: float = EFFORT) -> sympy.Expr:
    r"""Return a bound on the length of the total explosion set that holds at any depth and for any weights.

    H/c of the last activation (see `depth_bound`) where all of them are in class N; else, where all are monotone, ℓ/c
    with the length ℓ of the range of the last one; oo where no such bound holds. `total_explosion_theorem` says which.

    Parameters
    ----------
    chain : Chain
        Of any depth.
    threshold : number
        c > 0.
    effort : float
        How much work the proof may take, about seconds of it, counted in operations.

    Returns
    -------
    sympy.Expr
        The bound: exact, or with proven digits.

    Raises
    ------
    InvalidArgument
        If the threshold is not a positive number.
    Undecided
        If the slope of your own expression cannot be analysed, as for sin(z)·z.

    References
    ----------
    Section 7 of the theory page.

    Examples
    --------
    >>> total_explosion_bound(Chain(depth=50, activation="sigmoid"), threshold=2).n()
    0.223871602347151
    >>> total_explosion_bound(Chain(depth=50, activation="leaky_relu"))
    oo

    """
    value, _ = _bound(chain)
    return value / read_positive(threshold, "threshold")


@limited
def total_explosion_theorem(chain: Chain, *, effort: float = EFFORT) -> str:
    """Return the theorem that `total_explosion_bound` rests on, in a sentence.

    Parameters
    ----------
    chain : Chain
        Of any depth.
    effort : float
        How much work the proof may take, about seconds of it, counted in operations.

    Returns
    -------
    str

    Raises
    ------
    InvalidArgument
        If the chain is none.
    Undecided
        As `total_explosion_bound`.

    References
    ----------
    Section 7 of the theory page; in Coq `proofs/limit.v`, `width_at_most_H`.

    Examples
    --------
    >>> total_explosion_theorem(Chain(depth=50, activation="sigmoid"))
    'H/c: all activations are in class N'
    >>> total_explosion_theorem(Chain(depth=2, activation=["leaky_relu", "tanh"]))
    'ℓ/c, with ℓ the length of the range of tanh: all activations are monotone (Markov)'
    >>> total_explosion_theorem(Chain(depth=2, activation="gelu"))
    'none: gelu is not monotone'

    """
    _, theorem = _bound(chain)
    return theorem


def _bound(chain: Chain) -> tuple[sympy.Expr, str]:
    """Return the bound for c = 1, and what it rests on."""
    activations = read_chain(chain).layer_activations
    last = activations[-1]
    with contextlib.suppress(Undecided):
        if all(membership(each).is_member for each in set(activations)):
            return depth_bound(last).value, "H/c: all activations are in class N"
    if other := next((each for each in activations if not _is_monotone(each)), None):
        return sympy.oo, f"none: {other.name} is not monotone"
    if other := next((each for each in activations if each.profile.jumps), None):
        return sympy.oo, f"none: {other.name} jumps"
    if not last.proven_range.is_Interval:
        return sympy.oo, f"none: the values of {last.name} are no interval"
    return last.proven_range.measure, (
        f"ℓ/c, with ℓ the length of the range of {last.name}: all activations are monotone (Markov)"
    )


def _is_monotone(activation: Activation) -> bool:
    profile = activation.profile
    if profile.period is not None and not profile.keeps_its_sign:
        return False
    return not {1, -1} <= {branch.direction for branch in profile.branches}
