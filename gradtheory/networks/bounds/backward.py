r"""Bounds of pre-activations from lines below and above each activation, carried back from a node to the inputs.

On a box every unit lies between two lines in its pre-activation, s·z + t, whose slopes may differ, unlike those of an
affine form. A row of weights takes the upper line where its coefficient is positive, the lower one where it is
negative, layer after layer back to the inputs (H. Zhang et al., "Efficient neural network robustness certification with
general activation functions", NeurIPS 2018). Roundings are counted: what a coefficient may be off, times the largest
that it multiplies.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.networks.bounds.activation_range import ActivationRange
from gradtheory.networks.bounds.forms import Form
from gradtheory.networks.bounds.ranges import Range
from gradtheory.networks.bounds.rounding import TINY, UNIT, gamma, up
from gradtheory.networks.nodes import INPUT, Dense, Elementwise, Node, Scale, Sum


@dataclass(frozen=True, eq=False)
class Lines:
    """A line below σ and one above it for each unit on its interval, each a slope and a value at 0."""

    below: tuple[Array, Array]
    above: tuple[Array, Array]


def lines_of(ranges: ActivationRange, hull: Range, values: Range) -> Lines:
    """Return lines of the slopes that σ has at the ends and in the middle, of its secant or of 0.

    Of these each unit takes the one that is nearest to σ in the middle of its interval.
    """
    lower, upper = hull
    with np.errstate(all="ignore"):
        middle = lower + (upper - lower) / 2.0
        ends = [ranges.at(z) for z in (lower, upper, middle)]
        secant = (ends[1][0].lower - ends[0][0].lower) / (upper - lower)
        of_sigma = [slope.lower + (slope.upper - slope.lower) / 2.0 for _, slope in ends]
        slopes = np.stack([np.zeros_like(lower), secant, *of_sigma])
        slopes = np.where(np.isfinite(slopes) & ranges.is_continuous(lower, upper), slopes, 0.0)
        excess = ranges.excess(lower, upper, slopes)
        least, most = (np.where(slopes == 0.0, *sides) for sides in zip(values, excess, strict=True))
        below, above = _nearest(-slopes * middle - least), _nearest(slopes * middle + most)
    return Lines(
        *(
            (np.take_along_axis(slopes, place, axis=0)[0], np.take_along_axis(at_0, place, axis=0)[0])
            for place, at_0 in ((below, least), (above, most))
        )
    )


def _nearest(heights: Array) -> Any:
    """Return for each unit which line is the lowest."""
    return np.argmin(np.where(np.isnan(heights), np.inf, heights), axis=0)[None]


def tightened(nodes: Sequence[Node], outputs: Mapping[int, Form], lines: Mapping[int, Lines], place: int) -> Form:
    """Return the form of a node with bounds that are carried back to the inputs, where these are tighter."""
    form = outputs[place]
    unit = np.eye(form.centre.shape[1])
    with np.errstate(all="ignore"):
        most = _upper_bounds(nodes, outputs, lines, place, np.concatenate([unit, -unit]))
    upper, lower = np.split(np.where(np.isnan(most), np.inf, most), 2)
    hull = form.hull
    return replace(form, known=Range(np.maximum(hull.lower, -lower), np.minimum(hull.upper, upper)))


def _upper_bounds(
    nodes: Sequence[Node], outputs: Mapping[int, Form], lines: Mapping[int, Lines], start: int, rows: Array
) -> Array:
    """Return upper bounds of rows·a for the outputs a of a node."""
    coefficients = {start: rows}
    total, moduli, off = np.zeros(len(rows)), np.zeros(len(rows)), np.zeros(len(rows))
    roundings = 4.0

    def add(matrix: Array, numbers: Array) -> None:
        nonlocal total, moduli
        total = total + matrix @ numbers
        moduli = moduli + np.abs(matrix) @ np.abs(numbers)

    for place in range(start, INPUT - 1, -1):
        if place not in coefficients:
            continue
        matrix = coefficients.pop(place)
        roundings += 2.0 * matrix.shape[1] + 4.0
        positive, negative = np.maximum(matrix, 0.0), np.minimum(matrix, 0.0)
        operation = None if place == INPUT else nodes[place].operation
        if isinstance(operation, Dense):
            if operation.b is not None:
                add(matrix, operation.b)
            rounded = gamma(matrix.shape[1] + 2.0) * (np.abs(matrix) @ np.abs(operation.w)) + matrix.shape[1] * TINY
            parts = [matrix @ operation.w]
        elif isinstance(operation, Elementwise) and place in lines:
            (low, low_at_0), (high, high_at_0) = lines[place].below, lines[place].above
            add(positive, high_at_0[0])
            add(negative, low_at_0[0])
            parts = [positive * high + negative * low]
            rounded = 2.0 * UNIT * np.abs(parts[0]) + TINY
        elif isinstance(operation, Scale):
            parts = [matrix * operation.factor]
            rounded = 2.0 * UNIT * np.abs(parts[0]) + TINY
        elif isinstance(operation, Sum):
            parts = [matrix] * len(nodes[place].sources)
            rounded = np.zeros_like(matrix)
        else:  # the inputs, and what no lines are known of
            hull = outputs[place].hull
            add(positive, hull.upper[0])
            add(negative, hull.lower[0])
            continue
        for source, part in zip(nodes[place].sources, parts, strict=True):
            size = outputs[source].hull.size[0]
            if source in coefficients:
                coefficients[source] = coefficients[source] + part
                off = off + UNIT * (np.abs(coefficients[source]) @ size)
            else:
                coefficients[source] = part
            off = off + rounded @ size
    room = up(off + 2.0 * gamma(roundings) * (moduli + np.abs(total)), roundings)
    return np.asarray(total + room + 2.0 * UNIT * (np.abs(total) + room))
