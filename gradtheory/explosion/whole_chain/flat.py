"""How far |f'| of a chain is one number, where each layer is a Möbius map.

So is f, then, and where |f'| does not change at once f is linear, up to the next input at which a layer comes to
the end of its map: for softsign, z = 0.
"""

from collections.abc import Iterator

import sympy

from gradtheory.activations import Z
from gradtheory.activations.slopes.exact_zeros import inner_point
from gradtheory.activations.slopes.switches import formula_near
from gradtheory.arithmetic.enclosure import is_infinite, sign
from gradtheory.explosion.depth.chain_in_balls import Layers
from gradtheory.explosion.superlevel import Component
from gradtheory.explosion.whole_chain.touching import Beside, beside, rate_beside

_X = sympy.Symbol("x", real=True)


def flat_around(layers: Layers, x: sympy.Rational) -> Component | None:
    """Return the inputs with |f'| as at x, where it is greatest; None where that is not decided."""
    left, right = (_end(layers, x, side) for side in (-1, 1))
    return None if left is None or right is None else Component(left, right, lower_open=False, upper_open=False)


def _end(layers: Layers, x: sympy.Rational, side: int) -> sympy.Rational | None:
    for _ in range(2 * len(layers) + 1):  # more would need layers that turn
        if sign(rate_beside(layers, x, side)) * side < 0:
            return x
        near = beside(layers, x, side)
        joints = [joint for joint in _joints(layers, near) if side * (joint - x) > 0]
        if not joints or not all(place.part.is_moebius for place in near):
            return None
        x = min(joints, key=lambda joint: abs(joint - x))
    return None


def _joints(layers: Layers, near: list[Beside]) -> Iterator[sympy.Rational]:
    """Yield the inputs at which a layer comes to the end of its map, were all layers before it to go on as they are."""
    a = _X
    for activation, weight, bias, (_, way, part) in zip(layers.activations, layers.w, layers.b, near, strict=True):
        z = sympy.cancel(weight * a + bias)
        end = part.left if way < 0 else part.right
        if not is_infinite(end):
            above, _ = sympy.fraction(sympy.cancel(z - end))
            if above.has(_X):
                yield from sympy.roots(sympy.Poly(above, _X))
        a = formula_near(activation.expr, Z, inner_point(part.left, part.right)).subs(Z, z)
