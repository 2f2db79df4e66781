"""Certificates: the proof of an explosion set as plain JSON, which `gradtheory.checker` verifies on its own.

That of one activation states the set in the pre-activation z, U_t = {z : |σ'(z)| > t} with t = c/|w|: the monotone
branches of |σ'| that cover the line, an isolating interval for each place where |σ'| = t, the components, and what the
answer rests on far out. The checker's documentation describes the fields.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import sympy

from gradtheory.activations import Activation, Branch, Z
from gradtheory.activations import activation as as_activation
from gradtheory.activations.slopes.profile import Profile
from gradtheory.activations.slopes.switches import breaks, formula_near, switches_at
from gradtheory.arithmetic.effort import EFFORT
from gradtheory.arithmetic.enclosure import derivative, enclose, is_infinite, sign
from gradtheory.arithmetic.functions import gathered
from gradtheory.arithmetic.inputs import DIGITS, read_exact_parameters, read_positive, read_real
from gradtheory.arithmetic.kinds import read_flag
from gradtheory.arithmetic.root import Root
from gradtheory.chains.chain import Chain
from gradtheory.chains.reading import read_concrete_chain
from gradtheory.checker import FORMAT
from gradtheory.errors import InvalidArgument
from gradtheory.explosion.budget import limited
from gradtheory.explosion.certificate_text import written, written_bracket, written_end, written_name
from gradtheory.explosion.depth.chain_in_balls import Layers
from gradtheory.explosion.superlevel import Component, superlevel_sets
from gradtheory.explosion.whole_chain.certificate import chain_certificate
from gradtheory.typing import ActivationLike, NumberLike

_BITS = 128  # of an isolating interval, beyond the size of the level


@limited
def certificate(
    activation: ActivationLike | Chain,
    w: NumberLike | Sequence[NumberLike],
    b: NumberLike | Sequence[NumberLike] = 0,
    *,
    threshold: NumberLike = 1,
    strict: bool = True,
    method: str = "auto",
    digits: int = DIGITS,
    effort: float = EFFORT,
) -> dict[str, Any]:
    r"""Return the proof of an explosion set: a dictionary that `json.dumps` writes and `gradtheory.checker` verifies.

    Of one activation it is the proof of `explosion_set`, of a chain that of `total_explosion_set`. All activations of a
    chain must be in class N, where \|σ'\|^(-1/2) is convex; its set is then one interval.

    Parameters
    ----------
    activation : str, sympy.Expr, Activation or Chain
        A chain of concrete depth; one of depth 1 has the certificate of its activation.
    w, b : number, or of a chain sequence of numbers
        Weight and bias, exact; of a chain those of all layers.
    threshold : number
        c > 0.
    strict : bool
        False for >= in place of >.
    method, digits
        As for `explosion_set`; of no effect on a chain.
    effort : float
        How much work a proof for your own expression may take, about seconds of it, counted in operations.

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule, or w is 0 for one activation, or an activation of a chain is not in class N.
    NoClosedForm, Undecided
        As `explosion_set` and `total_explosion_set`; `Undecided` also where a number or formula would be too long for
        the checker.

    Examples
    --------
    >>> proof = certificate("gelu", w=-12, b="0.3")
    >>> proof["status"], len(proof["cells"]), len(proof["crossings"]), len(proof["components"])
    ('proven', 4, 3, 2)
    >>> proof = certificate(Chain(depth=2, activation="relu"), w=[2, 3], b=[-1, 0])
    >>> proof["set"]["lower"]["inner"], proof["set"]["upper"]["outer"]
    ('524289/1048576', 'oo')

    """
    if isinstance(activation, Chain):
        if activation.depth != 1:
            return _of_chain(activation, w, b, threshold, strict=strict)
        (w,), (b,) = (read_exact_parameters(values, name, 1) for values, name in ((w, "w"), (b, "b")))
        (activation,) = activation.layer_activations
    record, c = as_activation(activation), read_positive(threshold, "threshold")
    weight, bias = read_real(w, "w"), read_real(b, "b")
    if sign(weight) == 0:
        raise InvalidArgument("w", w, "must not be 0: no factor explodes, which needs no proof")
    level = c / abs(weight)
    profile = _with_one_formula_each(record, record.profile_above(level))
    profile = replace(profile, branches=tuple(_joined(record, profile))) if record.branches is None else profile
    superlevel = superlevel_sets(method, digits, strict=strict)(profile, level)
    crossings = superlevel.crossings()
    bits = _BITS + _size(superlevel.t)
    domain = profile.branches[0].left, profile.branches[-1].right
    is_whole = profile.period is not None or all(is_infinite(end) for end in domain)
    return {
        "format": FORMAT,
        "claim": {
            "kind": "explosion set",
            "activation": written_name(record),
            "expression": written(record.expr.replace(sympy.Heaviside, _as_piecewise)),
            "weight": written(weight),
            "bias": written(bias),
            "threshold": written(c),
            "strict": bool(strict),
        },
        "method": "certified" if any(end.has(Root) for end in crossings.values()) else "closed_form",
        "domain": [written(end) for end in domain],
        "cells": [_cell(record, profile, branch, bits) for branch in profile.branches],
        "crossings": [
            {"cell": profile.branches.index(branch), **written_bracket(end, bits)} for branch, end in crossings.items()
        ],
        "components": [_component(part, profile, list(crossings.values())) for part in superlevel.components()],
        "tails": {
            "left": _tail(profile, domain[0], superlevel.t),
            "right": _tail(profile, domain[1], superlevel.t),
        },
        "status": "proven" if is_whole else "proven on the domain",
    }


def _as_piecewise(switch: sympy.Expr, at_zero: sympy.Expr = sympy.S.Half) -> sympy.Expr:
    """Return Heaviside(u, at_zero), which the checker does not know, in its words."""
    return sympy.Piecewise((0, switch < 0), (1, switch > 0), (at_zero, True))


def _with_one_formula_each(record: Activation, profile: Profile) -> Profile:
    """Return a profile whose flat branches are cut where the formula of σ changes, as the checker's cells are."""
    pieces = [
        branch if not branch.is_flat else replace(branch, left=left, right=right)
        for branch in profile.branches
        for left, right in itertools.pairwise((branch.left, *_cuts(record, branch), branch.right))
    ]
    return replace(profile, branches=tuple(pieces))


def _joined(record: Activation, profile: Profile) -> Iterator[Branch]:
    """Yield branches, those together that are cut at a switch alone that is not in force there."""
    last, *others = profile.branches
    for branch in others:
        is_one = (last.direction, last.bends) == (branch.direction, branch.bends) and all(
            formula_near(each, Z, last.inside) == formula_near(each, Z, branch.inside)
            for each in (record.expr, profile.function)
        )
        if is_one and not switches_at(record.expr, Z, branch.left):
            last = replace(last, right=branch.right, slope_right=branch.slope_right)
        else:
            yield last
            last = branch
    yield last


def _cuts(record: Activation, branch: Branch) -> tuple[sympy.Expr, ...]:
    return breaks(record.provable_expr, Z, branch.left, branch.right) if branch.is_flat else ()


def _of_chain(chain: Chain, w: Any, b: Any, threshold: Any, *, strict: bool) -> dict[str, Any]:
    c, strict = read_positive(threshold, "threshold"), read_flag(strict, "strict")
    depth = read_concrete_chain(chain).depth
    weights, biases = (read_exact_parameters(values, name, depth) for values, name in ((w, "w"), (b, "b")))
    layers = Layers(chain.layer_activations, tuple(weights), tuple(biases))
    return chain_certificate(layers, c, strict=strict)


def _cell(record: Activation, profile: Profile, branch: Branch, bits: int) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "left": written_end(branch.left, bits),
        "right": written_end(branch.right, bits),
        "piece": written(formula_near(record.expr, Z, branch.inside)),
        "sign": branch.direction,
        "rises": None if branch.is_flat else branch.rises,
        "positive": None,
        "shape": None,
    }
    if branch.is_flat:
        return cell
    if record.sign_of_bend is None:
        smooth = formula_near(profile.function, Z, branch.inside)
        return cell | {"positive": "1", "shape": written(gathered(derivative(smooth, Z, 1)))}
    parts = {"positive": record.sign_of_bend.positive, "shape": record.sign_of_bend.rest}
    return cell | {name: written(formula_near(part, Z, branch.inside)) for name, part in parts.items()}


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
