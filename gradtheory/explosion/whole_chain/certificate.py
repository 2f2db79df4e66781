"""The certificate of a chain of class N: its cells, and inputs on both sides of each end of the set, as plain JSON."""

import contextlib
from collections.abc import Iterator
from typing import Any

import sympy

from gradtheory.activations import Activation, Z
from gradtheory.activations.slopes.switches import formula_near
from gradtheory.arithmetic.enclosure import is_infinite, order, sign
from gradtheory.checker import FORMAT, check
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.explosion.certificate_text import written, written_end, written_name
from gradtheory.explosion.depth.chain_in_balls import Layers
from gradtheory.explosion.depth.class_n import membership
from gradtheory.explosion.superlevel import Component
from gradtheory.explosion.whole_chain.brackets import Bracket, brackets
from gradtheory.explosion.whole_chain.interior_point import Nowhere, parted, place_within
from gradtheory.explosion.whole_chain.one_interval import one_interval

_BITS = 128  # of an isolating interval


def chain_certificate(layers: Layers, threshold: sympy.Expr, *, strict: bool) -> dict[str, Any]:
    """Return the certificate of a chain's explosion set.

    Why the set is empty may be told in several ways; it is told in one that the checker accepts.

    Raises
    ------
    InvalidArgument
        If an activation is not in class N.
    Undecided
        If the set is not known, or if a number would be too long for the checker.

    """
    activations = list(layers.places)
    for activation in activations:
        _check_member(activation)
    interval = one_interval(layers, threshold, strict=strict)
    if interval is not None and interval.lower == interval.upper:
        raise Undecided(
            "a set of one point has no certificate: no inputs beside it show that |f'| reaches the threshold"
        )
    document: dict[str, Any] = {
        "format": FORMAT,
        "claim": {
            "kind": "total explosion set",
            "activations": [
                {
                    "activation": written_name(activation),
                    "expression": written(activation.expr),
                }
                for activation in activations
            ],
            "layers": [
                {"activation": activations.index(activation), "weight": written(weight), "bias": written(bias)}
                for activation, weight, bias in zip(layers.activations, layers.w, layers.b, strict=True)
            ],
            "threshold": written(threshold),
            "strict": strict,
        },
        "cells": [_cells(activation) for activation in activations],
        "set": None if interval is None else _set(layers, threshold, interval, strict=strict),
        "empty": None,
    }
    if interval is not None:
        return document
    for reason in _empty(layers, threshold, strict=strict):
        if check(document | {"empty": reason}).ok:
            return document | {"empty": reason}
    raise Undecided("that the set is empty does not follow from any argument that certificates have")


def _check_member(activation: Activation) -> None:
    member = membership(activation)
    if not member.is_member:
        rule = f"must be in class N for the certificate of a chain, and is not: {member.reason}"
        raise InvalidArgument("activation", activation.name, rule)


def _cells(activation: Activation) -> list[dict[str, Any]]:
    """Return the longest intervals on which σ is one formula, and σ' of one sign."""
    cells: list[dict[str, Any]] = []
    for branch in activation.profile.branches:
        piece = written(formula_near(activation.expr, Z, branch.inside))
        right = written_end(branch.right, _BITS)
        if cells and (cells[-1]["piece"], cells[-1]["sign"]) == (piece, branch.direction):
            cells[-1]["right"] = right
        else:
            left = written_end(branch.left, _BITS)
            cells.append({"left": left, "right": right, "piece": piece, "sign": branch.direction})
    return cells


def _set(layers: Layers, threshold: sympy.Expr, interval: Component, *, strict: bool) -> dict[str, Any]:
    lower, upper = brackets(layers, threshold, interval, strict=strict)
    return {
        "lower": _end(lower, is_open=interval.lower_open),
        "upper": _end(upper, is_open=interval.upper_open),
    }


def _end(bracket: Bracket, *, is_open: bool) -> dict[str, Any]:
    return {"outer": written(bracket.outer), "inner": written(bracket.inner), "open": is_open}


def _empty(layers: Layers, threshold: sympy.Expr, *, strict: bool) -> Iterator[dict[str, Any]]:
    """Yield reasons why the set may be empty, those first that are soon checked."""
    zero = next((number for number, weight in enumerate(layers.w) if sign(weight) == 0), None)
    if zero is not None:
        yield {"argument": "zero weight", "layer": zero}
        return
    if _is_steepest_far_out(layers):
        slopes = {activation: activation.steepest_slope for activation in layers.places}
        product = sympy.Mul(*(slopes[activation] for activation in layers.activations), *map(abs, layers.w))
        if order(threshold, product) >= (0 if strict else 1):
            yield {"argument": "steepest", "slopes": [written(slope) for slope in slopes.values()]}
    with contextlib.suppress(Undecided):
        nowhere = place_within(layers, threshold)
        if isinstance(nowhere, Nowhere):
            yield _places(layers, threshold, nowhere)
    yield {"argument": "between", "places": ["-oo", "oo"]}


def _is_steepest_far_out(layers: Layers) -> bool:
    """Return whether no |σ'| is greatest at one place alone, where the checker would not see that it is."""
    for activation in layers.places:
        slopes = [activation.profile.branches[0].slope_left, activation.profile.branches[-1].slope_right]
        is_flat = all(branch.is_flat for branch in activation.profile.branches)
        if not is_flat and (any(map(is_infinite, slopes)) or activation.steepest_slope not in map(abs, slopes)):
            return False
    return True


def _places(layers: Layers, threshold: sympy.Expr, nowhere: Nowhere) -> dict[str, Any]:
    if nowhere.left is not None and nowhere.left == nowhere.right:
        nowhere = parted(layers, threshold, nowhere.left)
    places = (nowhere.left, nowhere.right)
    at = [oo if place is None else written(place.x) for place, oo in zip(places, ("-oo", "oo"), strict=True)]
    meet = all(place is not None and not place.is_wall for place in places)
    return {"argument": "tangents" if meet else "between", "places": at}
