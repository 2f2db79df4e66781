"""One neuron: σ and σ', where its factor explodes, and how wide that is over |w|."""

import functools
from dataclasses import dataclass

import numpy as np
import sympy

import gradtheory as gt
from gradtheory.arithmetic.inputs import read_real
from gradtheory.document.mathml import mathml
from gradtheory.document.messages import fill, words
from gradtheory.document.prose import HTML, html_prose
from gradtheory.explorer.chain import layers_at
from gradtheory.explorer.state import State
from gradtheory.explorer.writing import badge, digits, digits_of, first_digits
from gradtheory.formulas import latex

Array = np.ndarray
_HALF = 8.0  # of the window in z
_POINTS = 401
_WEIGHTS = 60  # at which a width is found


@dataclass(frozen=True)
class Neuron:
    """The curves of σ and σ', what explodes, and the words beside them.

    Attributes
    ----------
    z, value, slope : ndarray
        The curves.
    level : float
        c/|w|, which |σ'| exceeds where the factor explodes.
    at : tuple of float
        z, σ(z) and σ'(z) at the input.
    weight, width : float
        |w|, and the length of the set.
    html, latex : str
        The set, with its digits.

    """

    z: Array
    value: Array
    slope: Array
    level: float
    at: tuple[float, float, float]
    weight: float
    width: float
    html: str
    latex: str


def neuron(state: State) -> Neuron:
    """Return the curves of an activation, and the set where the layer that is looked at explodes."""
    record, place = state.record, state.layer - 1
    z = np.linspace(-_HALF, _HALF, _POINTS)
    value, slope = record.value_and_slope(z)
    w, b = state.w[place], state.b[place]
    inside = gt.explosion_set(record, w, b, threshold=state.c)
    width = gt.explosion_width(record, w, threshold=state.c)
    weight = abs(float(read_real(w, "w")))
    at = layers_at(state, np.array([state.number("x")])).z[place, 0]
    condition = _condition(state, w, b)
    return Neuron(
        z=z,
        value=value,
        slope=slope,
        level=state.number("c") / weight if weight else np.inf,
        at=(float(at), float(record.value(at)), float(record.slope(at))),
        weight=weight,
        width=float(width),
        html=_html(state, inside, width, condition),
        latex=rf"\left\{{{_input(state)} : {condition}\right\}} = {latex(inside)}",
    )


def _input(state: State) -> str:
    return "x" if state.layer == 1 else f"a_{{{state.layer - 1}}}"


def _condition(state: State, w: str, b: str) -> str:
    """Return |σ'(wx + b)·w| > c with the numbers put in."""
    weight, bias, c = (read_real(each, "") for each in (w, b, state.c))
    variable = sympy.Symbol("x")
    inner = latex(weight * variable + bias).replace("x", _input(state)) if weight else latex(bias)
    factor = latex(weight) if weight.is_nonnegative else rf"\left({latex(weight)}\right)"
    return rf"\left|\sigma'\left({inner}\right) \cdot {factor}\right| > {latex(c)}"


def _html(state: State, inside: sympy.Set, width: sympy.Expr, condition: str) -> str:
    name = _input(state)
    formulas = (condition, rf"{name} \in {latex(inside)}")
    rows = [
        *(f'<div class="formula">{mathml(formula, display=True)}</div>' for formula in formulas),
        *(f'<div class="digits">{HTML.prose(line)}</div>' for line in digits_of(inside, name)),
        f"<div>{html_prose(fill(words(state.lang)['explorer']['length'], {'length': digits(width)}))}</div>",
        badge(inside, state.lang),
    ]
    return "".join(rows)


@dataclass(frozen=True)
class Widths:
    """The width of the explosion set over |w|.

    Attributes
    ----------
    weight, width : ndarray
        The curve.
    critical : float
        The weight from which on something explodes.
    widest : tuple of float, or None
        |w| and K/c where the width is greatest; None where there is no such place.
    html : str
        The same in words.

    """

    weight: Array
    width: Array
    critical: float
    widest: tuple[float, float] | None
    html: str


def widths(state: State) -> Widths:
    """Return the width over |w|: that of the threshold c at c·|w| is a c-th of that of 1 at |w|."""
    weight, width, critical = _widths(state.activation)
    widest = gt.widest_explosion(state.record, threshold=state.c)
    c = state.number("c")
    said = words(state.lang)["explorer"]
    values = {"critical": first_digits(gt.critical_weight(state.record, threshold=state.c))}
    top = None
    if widest.is_maximum:
        top = float(widest.weight), float(widest.width)
        values |= {"width": digits(widest.width), "weight": digits(widest.weight)}
    sentence = fill(said["widest" if top else "no_widest"], values)
    return Widths(c * weight, width / c, c * critical, top, html_prose(sentence))


@functools.lru_cache(maxsize=32)
def _widths(activation: str) -> tuple[Array, Array, float]:
    """Return |w|, the widths for the threshold 1, and the critical weight."""
    record = State(activation=activation).record
    critical, widest = float(gt.critical_weight(record)), gt.widest_explosion(record)
    right = critical + 5.0 * (float(widest.weight) - critical) if widest.is_maximum else 5.0 * critical
    if not np.isfinite(right) or right == critical:
        right = critical + 5.0
    weight = critical + (right - critical) * np.linspace(0.0, 1.0, _WEIGHTS) ** 2  # the width begins as a root
    width = [float(gt.explosion_width(record, repr(float(f"{each:.6g}")))) for each in weight[1:]]
    return np.array([0.0, *weight]), np.array([0.0, 0.0, *width]), critical
