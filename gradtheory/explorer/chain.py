"""The chain: its factors and their product over x, the set where the whole gradient explodes, layers written out."""

from dataclasses import dataclass

import numpy as np
import sympy

import gradtheory as gt
from gradtheory.arithmetic.brief import with_power
from gradtheory.document.mathml import mathml
from gradtheory.document.messages import fill, paragraph, words
from gradtheory.document.prose import HTML, html_prose, html_text
from gradtheory.explorer.state import State
from gradtheory.explorer.writing import badge, digits, digits_of, parts

Array = np.ndarray
_POINTS = 321
_MOST_ROWS = 50  # of layers in the picture, and
_MOST_WRITTEN = 9  # in the product written out
_WINDOW = 8.0  # of z in the first layer
_LEAST = -300.0  # log10 of what is drawn


@dataclass(frozen=True)
class Layers:
    """z_l, a_l and σ'(z_l)·w_l of every layer, each of shape (L, n)."""

    z: Array
    a: Array
    slope: Array
    factor: Array

    @property
    def log_gradient(self) -> Array:
        """log10 of the size of the product of all factors, which may leave the range of float64."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log10(np.abs(self.factor)).sum(axis=0))


def layers_at(state: State, x: Array) -> Layers:
    """Follow inputs through the chain."""
    record, a, rows = state.record, x, []
    with np.errstate(over="ignore", invalid="ignore"):  # a chain of relu may leave float64
        for w, b in zip(state.floats("w"), state.floats("b"), strict=True):
            z = w * a + b
            a, slope = record.value_and_slope(z)
            rows.append((z, a, slope, slope * w))
    return Layers(*(np.array(each) for each in zip(*rows, strict=True)))


@dataclass(frozen=True)
class ChainView:
    """What the chain does over x, and at one x.

    Attributes
    ----------
    x, gradient : ndarray
        The curve |∂a_L/∂x|.
    factors : ndarray of shape (rows, n)
        log10|σ'(z_l)·w_l|, of the first layer in the lowest row.
    layers : tuple of int
        The layer of each row.
    input, at, threshold : float
        The input x, |∂a_L/∂x| there, and c.
    html, here, latex : str
        The product written out, what explodes at the input, and the product in LaTeX.

    """

    x: Array
    gradient: Array
    factors: Array
    layers: tuple[int, ...]
    input: float
    at: float
    threshold: float
    html: str
    here: str
    latex: str

    def bound_from_here(self, reach: float | None) -> Array:
        """Return H²/(g·r²) over x, with the gradient g at the input and H; nan where no theorem says so."""
        if reach is None or self.at <= 0.0:
            return np.full(self.x.shape, np.nan)
        with np.errstate(divide="ignore"):
            return np.asarray(np.minimum(reach**2 / (self.at * np.square(self.x - self.input)), 10.0**-_LEAST))


def chain(state: State) -> ChainView:
    """Return the factors and the gradient of a chain over x, and its layers written out at one x."""
    at, x = state.number("x"), _window(state)
    over, here = layers_at(state, x), layers_at(state, np.array([at]))
    rows = tuple(np.unique(np.linspace(1, state.depth, min(state.depth, _MOST_ROWS)).round().astype(int)).tolist())
    with np.errstate(divide="ignore"):
        factors = np.log10(np.abs(over.factor[np.array(rows) - 1]))
    product = _product(state, here)
    return ChainView(
        x=x,
        gradient=10.0 ** np.clip(over.log_gradient, _LEAST, -_LEAST),
        factors=np.clip(factors, -3.0, 3.0).astype(np.float32),
        layers=rows,
        input=at,
        threshold=state.number("c"),
        at=float(10.0 ** np.clip(here.log_gradient[0], _LEAST, -_LEAST)),
        html=f'<div class="formula">{mathml(product, display=True)}</div>{_table(state, here)}',
        here=_sentence(state, here),
        latex=product,
    )


def _window(state: State) -> Array:
    """Return inputs around z_1 = 0, of which one is asked about."""
    w, b, x = state.floats("w")[0], state.floats("b")[0], state.number("x")
    middle = -b / w if w else 0.0
    half = max(_WINDOW / abs(w) if w else 5.0, 1.2 * abs(x - middle))
    return np.linspace(middle - half, middle + half, _POINTS)


def _shown(depth: int) -> list[int]:
    """Return the layers that are written out, from the last; 0 stands for those between."""
    if depth <= _MOST_WRITTEN:
        return [*range(depth, 0, -1)]
    few = _MOST_WRITTEN // 2
    return [*range(depth, depth - few, -1), 0, *range(few, 0, -1)]


def _product(state: State, here: Layers) -> str:
    """Return the gradient product in letters, with the numbers put in, and its value."""
    letters, put_in = [], []
    for layer in _shown(state.depth):
        if layer == 0:
            letters.append(r"\cdots")
            put_in.append(r"\cdots")
            continue
        letters.append(rf"\sigma'\left(z_{{{layer}}}\right) w_{{{layer}}}")
        slope, w = float(here.slope[layer - 1, 0]), state.floats("w")[layer - 1]
        put_in.append(rf"{_number(slope)} \cdot {_bracketed(w)}")
    value = _power(float(here.log_gradient[0]), int(np.prod(np.sign(here.factor[:, 0]))))
    left = rf"\frac{{\partial a_{{{state.depth}}}}}{{\partial x}}"
    return " = ".join([left, r" \cdot ".join(letters), r" \cdot ".join(put_in), value])


def _number(value: float) -> str:
    if not np.isfinite(value):
        return r"\infty" if value > 0 else r"-\infty" if value < 0 else "?"
    return with_power(f"{value:.4g}")


def _bracketed(value: float) -> str:
    return _number(value) if value >= 0 else rf"\left({_number(value)}\right)"


def _power(log: float, sign: int) -> str:
    """Return ±10^log with four digits, however small."""
    if not np.isfinite(log):
        return _number(0.0 if log < 0 else np.inf if log > 0 else np.nan)
    if abs(log) < 4:
        return _number(sign * 10.0**log)
    exponent = int(np.floor(log))
    return with_power(f"{sign * 10.0 ** (log - exponent):.4g}e{exponent}")


def _table(state: State, here: Layers) -> str:
    """Return the layers as a table: those that explode and those that vanish are marked."""
    heads = ("$l$", "$w_l$", "$b_l$", "$z_l$", "$a_l$", r"$\sigma'(z_l)$", r"$\sigma'(z_l)\,w_l$")
    rows = ["".join(f"<th>{HTML.prose(head)}</th>" for head in heads)]
    c = state.number("c")
    for layer in _shown(state.depth):
        if layer == 0:
            rows.append("".join("<td>⋮</td>" for _ in heads))
            continue
        z, a, slope, factor = (float(each[layer - 1, 0]) for each in (here.z, here.a, here.slope, here.factor))
        given = (str(layer), html_text(state.w[layer - 1]), html_text(state.b[layer - 1]))
        kind = _kind(abs(factor), c)
        cells = "".join(f"<td>{cell}</td>" for cell in (*given, f"{z:.5g}", f"{a:.5g}", f"{slope:.5g}"))
        rows.append(f'{cells}<td class="{kind}">{factor:.5g}</td>')
    return '<div class="wide"><table>' + "".join(f"<tr>{row}</tr>" for row in rows) + "</table></div>"


def _kind(size: float, c: float) -> str:
    return "explodes" if size > c else "vanishes" if size < 1.0 else "keeps"


def _sentence(state: State, here: Layers) -> str:
    """Return which layers explode and which vanish at the input, and what becomes of their product."""
    catalogue, c = words(state.lang), state.number("c")
    said = catalogue["explorer"]
    kinds = [_kind(size, c) for size in np.abs(here.factor[:, 0])]
    log = float(here.log_gradient[0])
    total = "explodes" if log > np.log10(c) else "vanishes" if log < 0.0 else "keeps"
    values = {kind: _named([layer for layer, each in enumerate(kinds, 1) if each == kind], said) for kind in set(kinds)}
    parts = [
        fill(said[f"layers_{kind}"], {"layers": values[kind]}) for kind in ("explodes", "vanishes") if kind in values
    ]
    whole = fill(said[f"product_{total}"], {"value": f"${_power(log, 1)}$"})
    return html_prose(paragraph([*parts, whole], catalogue))


def _named(layers: list[int], said: dict[str, str]) -> str:
    """Return layers as a list, with runs from first to last."""
    runs: list[list[int]] = []
    for layer in layers:
        if runs and layer == runs[-1][-1] + 1:
            runs[-1].append(layer)
        else:
            runs.append([layer])
    texts = [str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs]
    return said["comma"].join(texts if len(texts) <= 6 else [*texts[:5], "…"])


@dataclass(frozen=True)
class TotalView:
    """Where the whole gradient explodes.

    Attributes
    ----------
    ends : tuple of (float, float)
        The intervals, oo where they are unbounded.
    bound : float
        How long they can be together, for all weights; oo where that is not known.
    reach : float or None
        H: from an input with the gradient g, it is at most H²/(g·r²) at a distance r. None where no theorem says so.
    html : str
        The same with digits.

    """

    ends: tuple[tuple[float, float], ...]
    bound: float
    reach: float | None
    html: str


def total(state: State) -> TotalView:
    """Return the set where the whole gradient of a chain explodes, its length, and a bound of it for all weights."""
    said = words(state.lang)
    model = gt.Chain(state.depth, state.record)
    inside = gt.total_explosion_set(model, w=[*state.w], b=[*state.b], threshold=state.c)
    bound = gt.total_explosion_bound(model, threshold=state.c)
    reach = gt.depth_bound(state.record).value
    length = sympy.S.Zero + inside.measure
    values = {"length": digits(length), "bound": digits(bound)}
    intervals = [each for each in parts(inside) if isinstance(each, sympy.Interval)]
    kind = "nowhere" if inside is sympy.S.EmptySet else "one_interval" if len(intervals) == 1 else "several"
    lines = "".join(f'<div class="digits">{HTML.prose(line)}</div>' for line in digits_of(inside, "x"))
    sentence = fill(said["explorer"][kind], {"number": len(intervals)})
    lengths = fill(said["explorer"]["length_and_bound"], values)
    elsewhere = "" if reach is None or reach.is_infinite else html_prose(said["explorer"]["elsewhere"])
    html = (
        f"<div>{html_prose(sentence)}</div>{lines}<div>{html_prose(lengths)}</div>"
        f"{badge(inside, state.lang)}<div>{elsewhere}</div>"
    )
    return TotalView(
        ends=tuple((float(each.start), float(each.end)) for each in intervals),
        bound=float(bound),
        reach=None if reach is None or reach.is_infinite else float(reach),
        html=html,
    )
