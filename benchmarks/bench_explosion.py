"""The explosion set against SymPy's solver for inequalities."""

from itertools import count

import sympy

import gradtheory as gt


def bench_explosion_set(compare):
    numbers = count(1)
    outcomes = []

    def ours():
        fresh = next(numbers)  # no cache knows these numbers
        return gt.explosion_set("sigmoid", w=sympy.Rational(7000 + fresh, 997), b=sympy.Rational(fresh, 991))

    def peer():
        x = sympy.Symbol("x", real=True)
        slope = sympy.diff(1 / (1 + sympy.exp(-(7 * x + 1))), x)
        try:
            outcomes.append(type(sympy.solveset(abs(slope) > 1, x, sympy.S.Reals)).__name__)
        except Exception as error:
            outcomes.append(type(error).__name__)

    row = compare("`explosion_set`, sigmoid, new w and b", ours, "", peer, budget=2.0, longest=2e-3)
    row.peer_name = f"SymPy `solveset`, ends in {outcomes[0]}"
