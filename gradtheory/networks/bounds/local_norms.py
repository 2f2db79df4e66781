r"""The norm of the Jacobian on many boxes of few inputs at once: bounds from above and from below, of second order.

On a box the Jacobian is M + Σ_k M_k·ε_k + R·ε. From above, the norm of the linear part is convex, so greatest at a
corner of ε; from below, ‖J‖ ≥ uᵀJv with the singular vectors of M, numeric and rounded, but of norms bounded by 1.
"""

import itertools

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.networks.bounds.rounding import TINY, gamma, norm_up, up
from gradtheory.networks.bounds.spectral import spectral_bounds
from gradtheory.networks.bounds.tangents import Tangent


def norms_from_above(jacobian: Tangent) -> Array:
    """Return upper bounds of the norms on each box, of shape (batch,)."""
    symbols = len(jacobian.linear)
    with np.errstate(all="ignore"):
        room = jacobian.rest + gamma(2.0 * symbols + 2.0) * jacobian.moduli
        bounds = []
        for signs in itertools.product((-1.0, 1.0), repeat=symbols):
            corner = jacobian.centre + np.tensordot(np.array(signs), jacobian.linear, axes=1)
            bounds.append(spectral_bounds(corner))
        rest = norm_up(up(room, 3.0).reshape(len(room), -1))
        bound = up(np.max(bounds, axis=0) + rest, 2.0)
    return np.where(np.isnan(bound), np.inf, bound)


def norms_from_below(jacobian: Tangent) -> Array:
    """Return lower bounds of the norms on each box, of shape (batch,); 0 where nothing is known."""
    centre = jacobian.centre
    n, m = centre.shape[1:]
    with np.errstate(all="ignore"):
        usable = np.isfinite(centre).all(axis=(1, 2))
        scale = np.abs(centre).max(axis=(1, 2), initial=0.0)
        usable &= (scale > 1e-100) & (scale < 1e100)
        safe = np.where(usable[:, None, None], centre, 0.0)
        if min(n, m) == 1:
            flat = safe.reshape(len(safe), -1)
            unit = flat / np.where(usable, np.linalg.norm(flat, axis=1), 1.0)[:, None]
            weight = (unit * (1.0 - 2.0 * gamma(n * m + 8.0))).reshape(safe.shape)
        else:
            u, _, v = np.linalg.svd(safe, full_matrices=False)
            left, right = (side / np.maximum(norm_up(side), 0.5)[:, None] for side in (u[:, :, 0], v[:, 0, :]))
            shrink = 1.0 - 2.0 * gamma(12.0)
            weight = (left * shrink)[:, :, None] * (right * shrink)[:, None, :]
        # ‖weight‖ in the nuclear norm is at most 1, so that <weight, J> ≤ ‖J‖.
        size = np.abs(weight)
        least = np.sum(weight * safe, axis=(1, 2))
        less = np.abs(np.sum(weight * jacobian.linear, axis=(2, 3))).sum(axis=0)
        room = np.sum(size * jacobian.rest, axis=(1, 2))
        rounding = 4.0 * gamma(n * m + len(jacobian.linear) + 8.0) * np.sum(size * jacobian.size, axis=(1, 2)) + TINY
        bound = least - up(less + room + rounding, n * m + 4.0)
        bound = bound - 2.0**-52 * np.abs(bound)
    return np.where(usable & (bound > 0.0), bound, 0.0)
