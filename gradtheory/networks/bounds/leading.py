r"""Norms of matrices near one with a gap below its largest singular value: bounds that are right to second order.

Written in singular vectors U, V of M, numeric ones, X = M + Σ ε_k·M_k + R falls into four blocks: one entry, a row, a
column and the rest. ‖X‖ is at most the norm of the 2 × 2 matrix of the norms of the blocks, where the row and the
column are small. U and V are orthogonal up to rounding, which is made up for by ‖I - UᵀU‖ and ‖I - VᵀV‖.
"""

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.networks.bounds.rounding import gamma, norm_up, up
from gradtheory.networks.bounds.spectral import spectral_bound


def leading_bound(centre: Array, linear: Array, rest: float) -> float:
    """Return an upper bound of ‖M + Σ ε_k·M_k + R‖ for all ε in [-1, 1] and ‖R‖ ≤ rest; inf where none is found."""
    n, m = centre.shape
    if not (np.isfinite(centre).all() and np.isfinite(linear).all() and np.isfinite(rest) and centre.any()):
        return float("inf")
    try:
        left, _, right = np.linalg.svd(centre)
    except np.linalg.LinAlgError:
        return float("inf")
    right = right.T
    room = 8.0 * gamma(2.0 * (n + m) + 16.0)
    off = [spectral_bound(np.eye(len(u)) - u.T @ u) + room * len(u) ** 2 for u in (left, right)]
    if max(off) > 0.25:
        return float("inf")
    turned, moved = left.T @ centre @ right, left.T @ linear @ right
    size = float(norm_up((np.abs(centre) + np.abs(linear).sum(axis=0)).reshape(-1)))
    slack = (
        rest * (1.0 + max(off)) + 2.0 * room * (n * m) ** 0.5 * size
    )  # ‖ |U|ᵀ|X||V| ‖ ≤ √(nm)·‖X‖ in Frobenius norms
    varied = np.abs(moved).sum(axis=0)
    first = float(abs(turned[0, 0]) + varied[0, 0])
    row = float(norm_up(np.abs(turned[0, 1:]) + varied[0, 1:]))
    column = float(norm_up(np.abs(turned[1:, 0]) + varied[1:, 0]))
    others = spectral_bound(turned[1:, 1:]) + spectral_bound(varied[1:, 1:]) if min(n, m) > 1 else 0.0
    blocks = np.array([[first, row], [column, others]]) * (1.0 + room) + slack
    share = 1.0 / np.sqrt((1.0 - off[0]) * (1.0 - off[1]))
    return float(up(np.array(spectral_bound(blocks) * share), 8.0))
