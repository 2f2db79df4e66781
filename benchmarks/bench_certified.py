"""Certified sets against SciPy's bracketing solver without a proof, and the constants of the whole catalogue."""

import subprocess
import sys
from itertools import count
from time import perf_counter

import numpy as np
import scipy.special
import sympy
from scipy.optimize import brentq

import gradtheory as gt
from gradtheory.explosion.superlevel import SuperlevelSet

_ALL_CONSTANTS = """
import time, gradtheory as gt
start = time.perf_counter()
for name in gt.activation_names():
    gt.widest_explosion(name)
print(time.perf_counter() - start)
"""


def _slope(z):
    return 0.5 * scipy.special.erfc(-z / np.sqrt(2)) + z * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)


def _three_roots(level):
    low, turn, high = -np.sqrt(2), -0.7517915246935645, np.sqrt(2)
    return [
        brentq(lambda z: -_slope(z) - level, -12.0, low),
        brentq(lambda z: -_slope(z) - level, low, turn),
        brentq(lambda z: _slope(z) - level, turn, high),
    ]


_NUMBERS = count(1)


def _level():
    return sympy.Rational(997, 11_964 + next(_NUMBERS))


def bench_gelu_set(compare):
    record = gt.activation("gelu")
    compare(
        "`explosion_set`, gelu, new w and b",
        lambda: gt.explosion_set(record, w=-1 / _level(), b=sympy.Rational(next(_NUMBERS), 991)),
        "SciPy `brentq`, the 3 ends, no proof",
        lambda: _three_roots(float(_level())),
        longest=2e-3,
    )


def bench_gelu_proof(compare):
    profile = gt.activation("gelu").profile
    assert len(SuperlevelSet(profile, _level()).crossings()) == 3
    compare(
        "the 3 ends of that set with a proof",
        lambda: SuperlevelSet(profile, _level()).crossings(),
        "SciPy `brentq`, the 3 ends, no proof",
        lambda: _three_roots(float(_level())),
        largest_ratio=20.0,
    )


def bench_all_constants(report):
    run = subprocess.run([sys.executable, "-c", _ALL_CONSTANTS], capture_output=True, text=True, check=True)
    start = perf_counter()
    gt.widest_explosion("sigmoid")
    ours, peer = float(run.stdout), perf_counter() - start
    report("K of the whole catalogue, new process", "K of the sigmoid", ours, peer, longest=5.0)
