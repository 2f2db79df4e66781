"""Certificates: the proof of an explosion set as plain JSON, which `gradtheory.checker` verifies on its own.

The document states the set in the pre-activation z, U_t = {z : |σ'(z)| > t} with t = c/|w|: the monotone branches of
|σ'| that cover the line, an isolating interval for each place where |σ'| = t, the components, and what the answer rests
on far out. The checker's documentation describes the fields.
"""

import math
from typing import Any

import sympy

from gradtheory.activations import Activation, Branch, Z
from gradtheory.activations import activation as as_activation
from gradtheory.activations.slopes.profile import Profile
from gradtheory.activations.slopes.switches import formula_near
from gradtheory.arithmetic.effort import EFFORT
from gradtheory.arithmetic.enclosure import as_rational, derivative, enclose, is_infinite, sign
from gradtheory.arithmetic.inputs import DIGITS, read_positive, read_real
from gradtheory.arithmetic.root import Root
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.explosion.limited import limited
from gradtheory.explosion.sets import superlevel_sets
from gradtheory.explosion.superlevel import Component
from gradtheory.typing import ActivationLike, NumberLike

FORMAT = "gradtheory-certificate/1"
_LONGEST_TEXT = 8_000  # characters; the checker reads numbers with parts of 4,000 digits
_BITS = 128  # of an isolating interval, beyond the size of the level


@limited
def certificate(
    activation: ActivationLike,
    w: NumberLike,
    b: NumberLike = 0,
    *,
    threshold: NumberLike = 1,
    strict: bool = True,
    method: str = "auto",
    digits: int = DIGITS,
    effort: float = EFFORT,
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
    level = c / abs(weight)
    profile = record.profile_above(level)
    superlevel = superlevel_sets(method, digits, strict=strict)(profile, level)
    crossings = superlevel.crossings()
    bits = _BITS + 2 * _size(superlevel.t)
    domain = profile.branches[0].left, profile.branches[-1].right
    is_whole = profile.period is not None or all(is_infinite(end) for end in domain)
    return {
        "format": FORMAT,
        "claim": {
            "kind": "explosion set",
            "activation": record.name if record.branches is not None else None,
            "expression": _text(record.expr),
            "weight": _text(weight),
            "bias": _text(bias),
            "threshold": _text(c),
            "strict": bool(strict),
        },
        "method": "certified" if any(end.has(Root) for end in crossings.values()) else "closed_form",
        "domain": [_text(end) for end in domain],
        "cells": [_cell(record, profile, branch, bits) for branch in profile.branches],
        "crossings": [
            {"cell": profile.branches.index(branch), **_bracket(end, bits)} for branch, end in crossings.items()
        ],
        "components": [_component(part, profile, list(crossings.values())) for part in superlevel.components()],
        "tails": {
            "left": _tail(profile, domain[0], superlevel.t),
            "right": _tail(profile, domain[1], superlevel.t),
        },
        "status": "proven" if is_whole else "proven on the domain",
    }


def _cell(record: Activation, profile: Profile, branch: Branch, bits: int) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "left": _end(branch.left, bits),
        "right": _end(branch.right, bits),
        "piece": _text(formula_near(record.expr, Z, branch.inside)),
        "sign": branch.direction,
        "rises": None if branch.is_flat else branch.rises,
        "positive": None,
        "shape": None,
    }
    if branch.is_flat:
        return cell
    if record.sign_of_bend is None:
        smooth = formula_near(profile.function, Z, branch.inside)
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
        if is_infinite(end):
            return str(end)
        return {"end": ends.index(end) - 1}

    return {
        "lower": bound(component.lower),
        "upper": bound(component.upper),
        "lower_open": component.lower_open,
        "upper_open": component.upper_open,
    }


def _tail(profile: Profile, end: sympy.Expr, level: sympy.Expr) -> dict[str, str]:
    if profile.period is not None:
        return {"argument": "period"}
    if is_infinite(end):
        return {"argument": "monotone"}
    return {"argument": "limit", "limit": "0", "assumes": f"the slope stays below {level} from z = {end} on outwards"}


def _size(number: sympy.Expr) -> int:
    """Return |log₂| of a positive number, rounded down; SymPy's logarithm gives up on a long fraction near 1."""
    return int(abs(float(enclose(number, _BITS).log().mid())) / math.log(2.0) + 1e-9)
