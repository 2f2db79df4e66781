"""Certificates: the proof of an explosion set as plain JSON, which `gradtheory.checker` verifies on its own.

The document states the set in the pre-activation z, U_t = {z : |σ'(z)| > t} with t = c/|w|: the monotone branches of
|σ'| that cover the line, an isolating interval for each place where |σ'| = t, the components, and what the answer rests
on far out. The checker's documentation describes the fields.
"""

from typing import Any

import sympy

from gradtheory.activations import Activation, Branch, Z
from gradtheory.activations import activation as as_activation
from gradtheory.activations.slopes.profile import Profile
from gradtheory.activations.slopes.switches import formula_near
from gradtheory.arithmetic.enclosure import as_rational, derivative, enclose, sign
from gradtheory.arithmetic.inputs import DIGITS, read_positive, read_real
from gradtheory.arithmetic.root import Root
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.explosion.sets import superlevel_sets
from gradtheory.explosion.superlevel import Component
from gradtheory.typing import ActivationLike, NumberLike

FORMAT = "gradtheory-certificate/1"
_LONGEST_TEXT = 8_000  # characters; the checker reads numbers with parts of 4,000 digits
_BITS = 128  # of an isolating interval, beyond the size of the level


def certificate(
    activation: ActivationLike,
    w: NumberLike,
    b: NumberLike = 0,
    *,
    threshold: NumberLike = 1,
    strict: bool = True,
    method: str = "auto",
    digits: int = DIGITS,
) -> dict[str, Any]:
    """Return the certificate of `explosion_set` with the same arguments: a dictionary that `json.dumps` writes.

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule, or w is 0.
    NoClosedForm, Undecided
        As `explosion_set`; `Undecided` also where a number or formula would be too long for the checker.

    Examples
    --------
    >>> proof = certificate("gelu", w=-12, b="0.3")
    >>> proof["status"], len(proof["cells"]), len(proof["crossings"]), len(proof["components"])
    ('proven', 4, 3, 2)

    """
    record, c = as_activation(activation), read_positive(threshold, "threshold")
    weight, bias = read_real(w, "w"), read_real(b, "b")
    if sign(weight) == 0:
        raise InvalidArgument("w", w, "must not be 0: no factor explodes, which needs no proof")
    profile = record.profile
    superlevel = superlevel_sets(method, digits, strict=strict)(profile, c / abs(weight))
    crossings = superlevel.crossings()
    bits = _BITS + 2 * abs(int(sympy.log(superlevel.t, 2)))
    window = _domain(profile)
    is_whole = profile.is_proven_everywhere or profile.period is not None
    return {
        "format": FORMAT,
        "claim": {
            "kind": "explosion set",
            "activation": record.name if record.branches is not None else None,
            "expression": _text(record.expr),
            "weight": _text(weight),
            "bias": _text(bias),
            "threshold": _text(c),
            "strict": strict,
        },
        "method": "certified" if any(end.has(Root) for end in crossings.values()) else "closed_form",
        "domain": [_text(end) for end in window],
        "cells": [_cell(record, branch, window, bits) for branch in profile.branches],
        "crossings": [
            {"cell": profile.branches.index(branch), **_bracket(end, bits)} for branch, end in crossings.items()
        ],
        "components": [_component(part, profile, list(crossings.values())) for part in superlevel.components()],
        "tails": {
            "left": _tail(profile, profile.branches[0].slope_left, window[0], "-oo"),
            "right": _tail(profile, profile.branches[-1].slope_right, window[1], "oo"),
        },
        "status": "proven" if is_whole else "proven on the domain",
    }


def _domain(profile: Profile) -> tuple[sympy.Expr, sympy.Expr]:
    """Return where the set is stated: one period, the line, or the window of the proof."""
    if profile.period is not None:
        return profile.branches[0].left, profile.branches[-1].right
    return profile.window


def _cell(record: Activation, branch: Branch, window: tuple[sympy.Expr, sympy.Expr], bits: int) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "left": _end(branch.left if branch.left.is_finite else window[0], bits),
        "right": _end(branch.right if branch.right.is_finite else window[1], bits),
        "piece": _text(formula_near(record.expr, Z, branch.inside)),
        "sign": branch.direction,
        "rises": None if branch.is_flat else branch.rises,
        "positive": None,
        "shape": None,
    }
    if branch.is_flat:
        return cell
    if record.sign_of_bend is None:
        smooth = formula_near(record.profile.function, Z, branch.inside)
        return cell | {"positive": "1", "shape": _text(derivative(smooth, Z, 1))}
    parts = {"positive": record.sign_of_bend.positive, "shape": record.sign_of_bend.rest}
    return cell | {name: _text(formula_near(part, Z, branch.inside)) for name, part in parts.items()}


def _end(end: sympy.Expr, bits: int) -> str | list[str]:
    return list(_bracket(end, bits).values()) if end.has(Root) else _text(end)


def _bracket(end: sympy.Expr, bits: int) -> dict[str, str]:
    """Return an interval around a number: the one that isolates a root, or that of a ball where it is narrower."""
    ball = enclose(end, bits)
    return {"lower": _text(as_rational(ball.lower())), "upper": _text(as_rational(ball.upper()))}


def _text(value: sympy.Expr) -> str:
    """Return a number or formula as the checker reads it."""
    try:
        text = str(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        text = ""
    if not 0 < len(text) <= _LONGEST_TEXT:
        raise Undecided(f"the certificate would need more than {_LONGEST_TEXT} characters for one number or formula")
    return text


def _component(component: Component, profile: Profile, crossings: list[sympy.Expr]) -> dict[str, Any]:
    ends = [profile.branches[0].left, *(branch.right for branch in profile.branches)]

    def bound(end: sympy.Expr) -> str | dict[str, int]:
        if end in crossings:
            return {"crossing": crossings.index(end)}
        if end.is_infinite and profile.is_proven_everywhere:
            return str(end)
        return {"end": ends.index(end) - 1}

    return {
        "lower": bound(component.lower),
        "upper": bound(component.upper),
        "lower_open": component.lower_open,
        "upper_open": component.upper_open,
    }


def _tail(profile: Profile, limit: sympy.Expr, window_end: sympy.Expr, end: str) -> dict[str, str]:
    if profile.period is not None:
        return {"argument": "period"}
    if window_end.is_infinite:
        return {"argument": "monotone"}
    return {
        "argument": "limit",
        "limit": str(limit),
        "assumes": f"the slope tends to {limit} as z tends to {end}, and does not turn beyond {window_end}",
    }
