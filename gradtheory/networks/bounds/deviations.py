r"""The Jacobian of deep networks on a box: the norm at the slopes in the middle, and what all deviations add to it.

Let T_v be the derivative of the output by node v, and C_{u,v} that of u's input by v at the middle slopes. As
resolvents differ by (I - N)⁻¹ - (I - N̄)⁻¹ = (I - N)⁻¹·(N - N̄)·(I - N̄)⁻¹,

    T_v = C_{out,v} + Σ_{u>v} T_u·Δ_u·C_{u,v},

where Δ_u, the deviation of u's slopes, is small on a small box. So the norms of the layers are never multiplied with
each other: what counts is products that are taken first. Rounding errors enter as T_u does, times what was rounded at
u.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.networks.bounds import tangents
from gradtheory.networks.bounds.enclosure import Enclosure
from gradtheory.networks.bounds.leading import leading_bound
from gradtheory.networks.bounds.rounding import UNIT, gamma, norm_up, product_up, up
from gradtheory.networks.bounds.spectral import spectral_bound
from gradtheory.networks.bounds.tangents import Tangent
from gradtheory.networks.nodes import INPUT, Dense, Elementwise, LayerNorm, Node, Scale, Sum


@dataclass(frozen=True, eq=False)
class _Middle:
    """A node's own Jacobian in the middle of the box: a matrix, or a vector for a diagonal; by how much it deviates.

    `spread` is a vector for a diagonal, else a number that bounds the spectral norm; `most` bounds the norm of all.
    """

    matrix: Array
    spread: Array | float
    most: float


@dataclass(frozen=True, eq=False)
class _Adjoint:
    """‖T_v‖ ≤ most; where it was swept, T_v = matrix up to a norm of `off`."""

    most: float
    matrix: Array | None = None
    off: float = 0.0


@dataclass(frozen=True)
class Deviations:
    """An upper bound of the norm of the Jacobian on the box of an enclosure, and which slope adds most to it.

    `steepest` is the place of an activation and a unit of it; None where no slope deviates.
    """

    bound: float
    steepest: tuple[int, int] | None


def deviations(nodes: Sequence[Node], enclosure: Enclosure) -> Deviations:
    """Return the bound of a network on the box of an enclosure."""
    with np.errstate(all="ignore"):
        middles = [_middle(node, place, enclosure) for place, node in enumerate(nodes)]
        adjoints: dict[int, _Adjoint] = {len(nodes) - 1: _Adjoint(1.0, None, 0.0)}
        for place in range(len(nodes) - 1, INPUT - 1, -1):
            adjoints[place] = _adjoint(nodes, middles, adjoints, place, enclosure)
        return Deviations(adjoints[INPUT].most, _steepest(nodes, middles, adjoints, enclosure))


def _steepest(
    nodes: Sequence[Node], middles: list[_Middle], adjoints: dict[int, _Adjoint], enclosure: Enclosure
) -> tuple[int, int] | None:
    """Return the unit whose slope changes the Jacobian most: its deviation times what stands behind and before it."""
    inner: dict[int, Array] = {INPUT: np.eye(enclosure.outputs[INPUT].centre.shape[1])}
    most, steepest = 0.0, None
    for place, node in enumerate(nodes):
        before, matrix = inner[node.sources[0]], middles[place].matrix
        if isinstance(node.operation, Sum):
            inner[place] = np.sum([inner[source] for source in node.sources], axis=0)
        else:
            inner[place] = matrix[:, None] * before if matrix.ndim == 1 else matrix @ before
        behind = adjoints[place].matrix
        if isinstance(node.operation, Elementwise) and behind is not None:
            shares = middles[place].spread * np.linalg.norm(behind, axis=0) * np.linalg.norm(before, axis=1)
            unit = int(np.argmax(shares))
            if shares[unit] > most:
                most, steepest = float(shares[unit]), (place, unit)
    return steepest


def product_bound(nodes: Sequence[Node], enclosure: Enclosure) -> float:
    """Return the product of the norms of the layers with their slopes on the box; sums where branches are summed."""
    with np.errstate(all="ignore"):
        norms = {INPUT: 1.0}
        for place, node in enumerate(nodes):
            operation, source = node.operation, node.sources[0]
            if isinstance(operation, Elementwise):
                slopes = enclosure.slopes[place].size[0]
                before = nodes[source].operation if source != INPUT else None
                if isinstance(before, Dense):  # diag(σ')·W as one
                    norms[place] = factor_norm(before.w, slopes) * norms[nodes[source].sources[0]]
                else:
                    norms[place] = float(slopes.max()) * norms[source]
            elif isinstance(operation, Sum):
                norms[place] = sum(norms[each] for each in node.sources)
            else:
                is_taken_up = isinstance(operation, Dense) and not _is_needed(nodes, place)
                norms[place] = 0.0 if is_taken_up else _middle(node, place, enclosure).most * norms[source]
            norms[place] = float(up(np.array(norms[place]), 4.0))
        return _number(norms[len(nodes) - 1])


def _is_needed(nodes: Sequence[Node], place: int) -> bool:
    """Return whether the norm of a node alone is asked for: not that of a layer whose activation takes it up."""
    users = [node for node in nodes if place in node.sources]
    return not users or not all(isinstance(user.operation, Elementwise) for user in users)


def factor_norm(w: Array, slopes: Array) -> float:
    """Return an upper bound of the norm of diag(σ')·W, for slopes of at most these sizes."""
    with np.errstate(all="ignore"):
        factor = slopes[:, None] * np.abs(w) * (1.0 + 4.0 * UNIT)
        if not np.isfinite(factor).all():
            return float("inf")
        # A diagonal of slopes of either sign within [-s, s] is diag(s) times a contraction: only the sizes matter.
        rounded = spectral_bound(slopes[:, None] * w)
        return float(up(np.array(rounded + 2.0 * UNIT * norm_up(factor.reshape(-1))), 3.0))


def _middle(node: Node, place: int, enclosure: Enclosure) -> _Middle:
    operation = node.operation
    if isinstance(operation, Dense):
        return _Middle(operation.w, 0.0, spectral_bound(operation.w))
    if isinstance(operation, Elementwise):
        slopes, form = enclosure.slopes[place], enclosure.forms_of_slopes[place]
        middle = form.centre[0]
        spread = up(np.maximum(slopes.upper[0] - middle, middle - slopes.lower[0]), 2.0)
        return _Middle(middle, spread, float(slopes.size.max()))
    if isinstance(operation, Scale):
        n = enclosure.outputs[place].centre.shape[1]
        factor = np.broadcast_to(np.asarray(operation.factor, dtype=float), (n,))
        return _Middle(factor, np.zeros(n), float(np.abs(factor).max()))
    if isinstance(operation, LayerNorm):
        n = enclosure.outputs[place].centre.shape[1]
        own = tangents.through_norm(tangents.of_inputs(1, n, 0), operation, enclosure.norms[place])
        off = float(norm_up(own.rest.reshape(-1)))
        gain = 1.0 if operation.gain is None else float(np.abs(operation.gain).max())
        # ‖P - d·dᵀ·q²/n‖ ≤ 1
        most = gain * float(enclosure.norms[place].inverse.upper[0]) * (1.0 + 8.0 * UNIT)
        return _Middle(own.centre[0], off, most)
    return _Middle(np.ones(enclosure.outputs[place].centre.shape[1]), 0.0, 1.0)


def _adjoint(
    nodes: Sequence[Node], middles: list[_Middle], adjoints: dict[int, _Adjoint], start: int, enclosure: Enclosure
) -> _Adjoint:
    users = [place for place, node in enumerate(nodes) if start in node.sources]
    by_steps = sum(adjoints[user].most * middles[user].most * nodes[user].sources.count(start) for user in users)
    if start == len(nodes) - 1:
        n = enclosure.outputs[start].centre.shape[1]
        return _Adjoint(1.0, np.eye(n), 0.0)
    coarse = _number(float(up(np.array(by_steps), 3.0 * len(users) + 3.0)))
    if start != INPUT and not isinstance(nodes[start].operation, Elementwise | LayerNorm):
        return _Adjoint(coarse)
    matrix, off, linear = _sweep(nodes, middles, adjoints, start, enclosure)
    if matrix is None or not np.isfinite(off) or not np.isfinite(matrix).all():
        return _Adjoint(coarse)
    fine = float(up(np.array(spectral_bound(matrix) + off + linear.bound()), 2.0))
    if linear.terms is not None:
        fine = min(fine, leading_bound(matrix, linear.terms, off + linear.rounded()))
    return _Adjoint(min(coarse, fine), matrix, float(up(np.array(off + linear.bound()), 2.0)))


def _sweep(
    nodes: Sequence[Node], middles: list[_Middle], adjoints: dict[int, _Adjoint], start: int, enclosure: Enclosure
) -> "tuple[Array | None, float, _LinearPart]":
    """Return C_{out,start}, and how far T_start is from it and from what is linear in the inputs."""
    n = enclosure.outputs[start].centre.shape[1]
    swept: dict[int, Array] = {start: np.eye(n)}
    off = 0.0
    linear = _LinearPart()
    for place in range(start + 1, len(nodes)):
        parts = [swept[source] for source in nodes[place].sources if source in swept]
        if not parts:
            continue
        middle, operation = middles[place], nodes[place].operation
        if isinstance(operation, Sum):
            swept[place] = np.sum(parts, axis=0)
            moduli = np.sum([np.abs(part) for part in parts], axis=0)
            rounded = gamma(len(parts)) * float(norm_up(moduli.reshape(-1)))
        elif middle.matrix.ndim == 1:
            swept[place] = middle.matrix[:, None] * parts[0]
            rounded = 2.0 * UNIT * float(norm_up(swept[place].reshape(-1)))
        else:
            swept[place] = middle.matrix @ parts[0]
            moduli = product_up(np.abs(middle.matrix), np.abs(parts[0]))
            rounded = gamma(middle.matrix.shape[1] + 1.0) * float(norm_up(moduli.reshape(-1)))
        off += adjoints[place].most * rounded
        form = enclosure.forms_of_slopes.get(place)
        behind = adjoints[place].matrix
        if form is not None and len(form.linear) and behind is not None:
            linear.add(behind, form.linear[:, 0], parts[0])
            spread = up(np.asarray(middle.spread), 1.0)
            off += _of_deviation(_Adjoint(adjoints[place].most, behind, 0.0), form.rest[0], parts[0])
            off += adjoints[place].off * _norm(up(spread[:, None] * np.abs(parts[0]), 1.0))
        else:
            off += _of_deviation(adjoints[place], middle.spread, parts[0])
    return swept.get(len(nodes) - 1), float(up(np.array(off), 6.0 * len(nodes))), linear


class _LinearPart:
    """Σ_k ε_k·F_k with F_k = Σ_u B_u·diag(s_{u,k})·C_u: what the deviations that are linear in the inputs add up to."""

    def __init__(self) -> None:
        self.terms: Array | None = None
        self.moduli: Array | None = None
        self.count = 0

    def add(self, behind: Array, slopes: Array, inner: Array) -> None:
        """Add the part of a node: B, the slopes of each symbol, and C."""
        terms = (behind * slopes[:, None, :]) @ inner
        moduli = product_up(np.abs(behind) * np.abs(slopes).sum(axis=0), np.abs(inner))
        self.terms = terms if self.terms is None else self.terms + terms
        self.moduli = moduli if self.moduli is None else self.moduli + moduli
        self.count += slopes.size + 4

    def bound(self) -> float:
        """Return an upper bound of its norm for all ε in [-1, 1]; of a term that is lost in overflow, infinity."""
        if self.terms is None or self.moduli is None:
            return 0.0
        if not (np.isfinite(self.terms).all() and np.isfinite(self.moduli).all()):
            return float("inf")
        return float(up(np.array(norm_of_linear(self.terms) + self.rounded()), 4.0))

    def rounded(self) -> float:
        """Return how far the terms that were computed may be from the exact ones, all together."""
        return 0.0 if self.moduli is None else 2.0 * gamma(self.count + 4.0) * float(norm_up(self.moduli.reshape(-1)))


def _of_deviation(adjoint: _Adjoint, spread: Array | float, inner: Array) -> float:
    """Return an upper bound of ‖T·Δ·C‖ for every deviation Δ of a node."""
    if isinstance(spread, float):
        return 0.0 if spread == 0.0 else adjoint.most * spread * _norm(inner)
    if not spread.any():
        return 0.0
    if not np.isfinite(spread).all():
        return float("inf")
    behind = up(spread[:, None] * np.abs(inner), 1.0)
    alone = adjoint.most * _norm(behind)
    if adjoint.matrix is None:
        return alone
    root = np.sqrt(spread) * (1.0 + 4.0 * UNIT)
    split = _norm(adjoint.matrix * root) * _norm(root[:, None] * inner) * (1.0 + 16.0 * UNIT)
    entries = _norm(product_up(np.abs(adjoint.matrix), behind))
    return _number(min(alone, min(split, entries) + adjoint.off * _norm(behind)))


def _norm(matrix: Array) -> float:
    """Return an upper bound of a spectral norm; of a product that was rounded once entry by entry, too."""
    if not np.isfinite(matrix).all():
        return float("inf")
    frobenius = norm_up(matrix.reshape(-1))
    return float(up(np.array(spectral_bound(matrix) + 4.0 * UNIT * frobenius), 2.0))


def _number(bound: float) -> float:
    return float("inf") if np.isnan(bound) else bound


def mean_value_bound(jacobian: Tangent) -> float:
    """Return an upper bound of the norm of the Jacobians of one box that are linear in the inputs.

    ‖Σ ε_k·M_k‖ is at most √K times the norm of the M_k above each other, or beside each other, as ‖ε‖ ≤ √K.
    """
    linear, rest = jacobian.linear[:, 0], jacobian.rest[0]
    if not (len(linear) and np.isfinite(linear).all() and np.isfinite(rest).all()):
        return float("inf")
    with np.errstate(all="ignore"):
        parts = _norm(jacobian.centre[0]), norm_of_linear(linear), _norm(rest)
        return min(_number(float(up(np.array(sum(parts)), 4.0))), leading_bound(jacobian.centre[0], linear, parts[2]))


def norm_of_linear(linear: Array) -> float:
    """Return an upper bound of ‖Σ ε_k·M_k‖ for all ε in [-1, 1]; the M_k are given exactly."""
    symbols, n, m = linear.shape
    above, beside = linear.reshape(symbols * n, m), np.moveaxis(linear, 0, 1).reshape(n, symbols * m)
    stacked = float(up(np.sqrt(np.array(float(symbols))) * min(_norm(above), _norm(beside)), 4.0))
    return min(stacked, _norm(up(np.abs(linear).sum(axis=0), symbols + 1.0)))


def entry_bound(jacobian: Tangent) -> float:
    """Return an upper bound of the norm of the Jacobians of one box, from bounds of their entries."""
    centre, rest = jacobian.centre[0], jacobian.rest[0] + np.abs(jacobian.linear[:, 0]).sum(axis=0)
    if not (np.isfinite(centre).all() and np.isfinite(rest).all()):
        return float("inf")
    room = up(rest, len(jacobian.linear) + 2.0)
    return min(_norm(centre) + _norm(room), _norm(np.abs(centre) + room)) * (1.0 + 8.0 * UNIT)
