"""What the array functions need to know of an activation: its branches, with slopes that are ready to be compared."""

import functools
import itertools
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy

from gradtheory.activations import Activation, Branch
from gradtheory.activations.catalogue.shapes import Float64Distance
from gradtheory.activations.slopes.analysis import parity
from gradtheory.activations.slopes.branch import Distance
from gradtheory.activations.slopes.piece import Piece
from gradtheory.activations.slopes.profile import Profile
from gradtheory.arithmetic.enclosure import sign
from gradtheory.arithmetic.pairs import Pair, pair_of
from gradtheory.explosion.arrays.excess import Multiple, multiples_of
from gradtheory.explosion.arrays.table import CrossingTable, anchor_of
from gradtheory.explosion.superlevel import SuperlevelSet


@dataclass(frozen=True)
class Part:
    """One branch on which σ' is not 0.

    Parameters
    ----------
    piece : Piece
        σ' on the branch.
    twin : Piece
        Of an even |σ'|, the piece on the right side of 0: both are tabulated once.
    steep, shallow : Multiple
        sup|σ'| and inf|σ'| on it; `steep` is None where it is infinite.
    at_right : Multiple or None
        |σ'| at the right end, which lies in no explosion set where this is None: a kink, or the end of the line.

    """

    piece: Piece
    twin: Piece
    steep: Multiple | None
    shallow: Multiple
    at_right: Multiple | None

    @property
    def branch(self) -> Branch:
        """The branch itself."""
        return self.piece.branch

    @cached_property
    def length(self) -> Pair:
        """The length of the branch."""
        length = self.branch.right - self.branch.left
        if length.is_infinite:
            return math.inf, 0.0
        return pair_of(length)

    @cached_property
    def ends(self) -> tuple[float, float]:
        """The ends of the branch."""
        return _float(self.branch.left), _float(self.branch.right)

    @property
    def reaches_infinity(self) -> bool:
        """Whether whatever explodes here has infinite length."""
        if self.branch.is_flat:
            return math.isinf(self.length[0])
        return bool((self.branch.right if self.branch.rises else self.branch.left).is_infinite)

    @property
    def endless_below(self) -> sympy.Expr:
        """The level below which the branch has a part of infinite length."""
        if self.reaches_infinity:
            return self.branch.steepest
        return sympy.S.Zero if math.isfinite(self.length[0]) else self.branch.shallowest

    @cached_property
    def anchor(self) -> tuple[float, float, float]:
        """The point that distances count from, as a pair of floats, and the direction away from it."""
        point, _ = anchor_of(self.branch)
        return *pair_of(point), (1.0 if point != self.branch.right else -1.0)

    @property
    def is_paired(self) -> bool:
        """Whether more than one float of the excess would be used."""
        return self.branch.distance is not None and not isinstance(self.branch.distance, Float64Distance)

    @cached_property
    def distance(self) -> Distance:
        """The record's closed form, or else a table of proven crossings, for NumPy only."""
        if self.branch.distance is not None:
            return self.branch.distance
        table = _table(self.twin)
        return lambda _, e: (table(e[0]), 0.0)


@dataclass(frozen=True)
class Plan:
    """The branches of an activation.

    Parameters
    ----------
    name : str
        The activation's.
    parts : tuple of Part
        Those on which σ' is not 0, from left to right.
    most_components : int
        The greatest number of components of {|σ'| > t}, over all t > 0.
    is_periodic : bool
        Whether the branches repeat.

    """

    name: str
    parts: tuple[Part, ...]
    most_components: int
    is_periodic: bool

    @property
    def is_closed(self) -> bool:
        """Whether no crossing needs a table, so that any array namespace will do."""
        return self.is_periodic or all(part.branch.is_flat or part.branch.distance is not None for part in self.parts)

    @cached_property
    def distinct_parts(self) -> tuple[tuple[Part, float], ...]:
        """The parts that make the length, and how many there are of each: an even slope has pairs.

        Parts that only explode where the length is infinite already are left out.
        """
        endless = [sympy.S.Zero, *(part.endless_below for part in self.parts)]
        counts: dict[Any, list[Part]] = {}
        for part in self.parts:
            if not part.reaches_infinity and any(sign(part.branch.steepest - level) <= 0 for level in endless):
                continue
            shape = None if part.branch.is_flat else part.branch.distance or part.twin
            counts.setdefault((shape, part.steep, part.shallow, part.length), []).append(part)
        return tuple((parts[0], float(len(parts))) for parts in counts.values())


_table = functools.lru_cache(maxsize=256)(CrossingTable)


@functools.lru_cache(maxsize=256)
def plan_of(activation: Activation) -> Plan:
    """Return the plan of an activation, its branches proven where no closed form stands for them."""
    profile = activation.profile
    is_even = parity(profile.function) != 0  # |σ'| then
    parts = []
    for piece in itertools.chain.from_iterable(map(_with_an_end, profile.pieces)):
        branch = piece.branch
        if branch.steepest == 0:
            continue
        if branch.distance is None:
            piece.prove()
        multiples = multiples_of(*(each for each in (branch.steepest, branch.shallowest) if each.is_finite))
        joins = branch.right.is_finite and branch.right not in profile.kinks
        parts.append(
            Part(
                piece,
                _twin(piece, profile.pieces) if is_even else piece,
                multiples[0] if branch.steepest.is_finite else None,
                multiples[-1],
                multiples_of(abs(branch.slope_right))[0] if joins else None,
            )
        )
    return Plan(activation.name, tuple(parts), _most_components(profile), activation.period is not None)


def _with_an_end(piece: Piece) -> tuple[Piece, ...]:
    """Return a piece, cut in two where distances would have no end to count from."""
    branch = piece.branch
    if branch.is_flat or branch.distance is not None or branch.left.is_finite or branch.right.is_finite:
        return (piece,)
    return piece.cut()


def _twin(piece: Piece, pieces: tuple[Piece, ...]) -> Piece:
    left, right = piece.branch.left, piece.branch.right
    if right.is_extended_positive:
        return piece
    return next((other for other in pieces if (other.branch.left, other.branch.right) == (-right, -left)), piece)


def _most_components(profile: Profile) -> int:
    """Count the components at all levels where their number can change, and between."""
    limits = [limit for limit in profile.levels if limit.is_finite]
    ends = [sympy.S.Zero, *limits, (limits[-1] if limits else 0) + sympy.S.One]
    between = [(low + high) / 2 for low, high in itertools.pairwise(ends)]
    return max(1, *(len(SuperlevelSet(profile, level).components()) for level in (*limits, *between)))


def _float(number: sympy.Expr) -> float:
    if number.is_infinite:
        return math.inf if number is sympy.oo else -math.inf
    return pair_of(number)[0]
