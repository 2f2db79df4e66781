"""The superlevel set of an activation: of its profile, or of an expression of one's own sought at one level."""

import contextlib
from functools import partial

import sympy

from gradtheory.activations import Activation
from gradtheory.activations.slopes.branch import LINE, Region
from gradtheory.activations.slopes.jumps import jumps_of
from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.enclosure import is_infinite
from gradtheory.arithmetic.inputs import read_bits
from gradtheory.arithmetic.kinds import read_flag
from gradtheory.errors import Undecided
from gradtheory.explosion.superlevel.component import Component
from gradtheory.explosion.superlevel.one_level import OneLevel
from gradtheory.explosion.superlevel.superlevel_set import METHODS, SuperlevelSet


def superlevel(
    record: Activation, level: sympy.Expr, superlevel_set: "partial[SuperlevelSet]", region: Component | None = None
) -> SuperlevelSet | OneLevel:
    """Return the superlevel set of |σ'| on the line, or at least in a region of pre-activations.

    That of an expression of one's own is sought at this one level; only where that does not succeed are all monotone
    branches asked for.
    """
    around = with_margin(region)
    options = superlevel_set.keywords
    if record.branches is None and record.period is None and options["method"] != "closed_form":
        with contextlib.suppress(Undecided):
            jumps = jumps_of(record.expr, around)
            there = OneLevel(record.provable_slope_expr, level, around, jumps, options["strict"])
            there.components()
            return there
    try:
        return superlevel_set(record.profile_above(level), level)
    except Undecided:
        if region is None or is_infinite(region.length):
            raise
        return superlevel_set(record.profile_on(around), level)


def with_margin(region: Component | None) -> Region:
    """Return a region of pre-activations in which its own ends lie; the line for none."""
    margin = sympy.S.One
    return LINE if region is None else (region.lower - margin, region.upper + margin)


def superlevel_sets(method: str, digits: int, *, strict: bool = True) -> "partial[SuperlevelSet]":
    """Return what makes the superlevel set of a profile at a level, with these options; they are checked here."""
    choice, is_strict = one_of(method, "method", METHODS), read_flag(strict, "strict")
    return partial(SuperlevelSet, strict=is_strict, method=choice, most_bits=read_bits(digits))
