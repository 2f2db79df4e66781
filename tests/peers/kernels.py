"""Measure the kernels of NumPy and SciPy, PyTorch, JAX and gradtheory, and write docs/kernels.md.

Run `.venv-peers/bin/python -m tests.peers.kernels`. The libraries are imported where they are used, since `make test`
looks into this file without them.
"""

import math
import platform
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy
from scipy.special import erf, expit, log_expit, ndtr

import gradtheory as gt
from gradtheory.testing import kernel_errors
from tests.peers.named import named

PAGE = Path(__file__).parents[2] / "docs" / "kernels.md"
TYPES = ("float64", "float32")
_WHAT = ("value", "slope")


def _elu(z, scale=1.0, alpha=1.0):
    return scale * np.where(z > 0, z, alpha * np.expm1(z))


def _density(z):
    return np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


def _inner(z):
    return math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)


def _gelu_tanh_slope(z):
    t = np.tanh(_inner(z))
    return (1 + t) / 2 + z * (1 - t**2) * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * z**2) / 2


def _mish_slope(z):
    t = np.tanh(np.logaddexp(0, z))
    return t + z * (1 - t**2) * expit(z)


_SELU = (1.0507009873554805, 1.6732632423543772)

# Values and slopes as one writes them with NumPy and SciPy.
NUMPY = {
    "arctan": (np.arctan, lambda z: 1 / (1 + z**2)),
    "arsinh": (np.arcsinh, lambda z: 1 / np.sqrt(1 + z**2)),
    "bent_identity": (lambda z: (np.sqrt(z**2 + 1) - 1) / 2 + z, lambda z: z / (2 * np.sqrt(z**2 + 1)) + 1),
    "cloglog": (lambda z: -np.expm1(-np.exp(z)), lambda z: np.exp(z - np.exp(z))),
    "cosine": (np.cos, lambda z: -np.sin(z)),
    "elu": (_elu, lambda z: np.where(z > 0, 1, np.exp(z))),
    "erf": (erf, lambda z: 2 / math.sqrt(math.pi) * np.exp(-(z**2))),
    "exponential": (np.exp, np.exp),
    "gaussian": (lambda z: np.exp(-(z**2)), lambda z: -2 * z * np.exp(-(z**2))),
    "gelu": (lambda z: z * ndtr(z), lambda z: ndtr(z) + z * _density(z)),
    "gelu_tanh": (lambda z: z * (1 + np.tanh(_inner(z))) / 2, _gelu_tanh_slope),
    "gudermannian": (lambda z: 2 * np.arctan(np.tanh(z / 2)), lambda z: 1 / np.cosh(z)),
    "isru": (lambda z: z / np.sqrt(1 + z**2), lambda z: (1 + z**2) ** -1.5),
    "log_cosh": (lambda z: np.logaddexp(z, -z) - math.log(2), np.tanh),
    "log_sigmoid": (log_expit, lambda z: expit(-z)),
    "mish": (lambda z: z * np.tanh(np.logaddexp(0, z)), _mish_slope),
    "quadratic": (np.square, lambda z: 2 * z),
    "quick_gelu": (
        lambda z: z * expit(1.702 * z),
        lambda z: expit(1.702 * z) * (1 + 1.702 * z * (1 - expit(1.702 * z))),
    ),
    "selu": (lambda z: _elu(z, *_SELU), lambda z: _SELU[0] * np.where(z > 0, 1, _SELU[1] * np.exp(z))),
    "sigmoid": (expit, lambda z: expit(z) * (1 - expit(z))),
    "silu": (lambda z: z * expit(z), lambda z: expit(z) * (1 + z * (1 - expit(z)))),
    "sine": (np.sin, np.cos),
    "snake": (lambda z: z + np.sin(z) ** 2, lambda z: 1 + np.sin(2 * z)),
    "softplus": (lambda z: np.logaddexp(0, z), expit),
    "softsign": (lambda z: z / (1 + abs(z)), lambda z: (1 + abs(z)) ** -2),
    "squareplus": (lambda z: (z + np.sqrt(z**2 + 4)) / 2, lambda z: (1 + z / np.sqrt(z**2 + 4)) / 2),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "tanhshrink": (lambda z: z - np.tanh(z), lambda z: np.tanh(z) ** 2),
}
# What is left out: swish and celu are silu and elu at their defaults; the others are lines.
_TWINS = ("celu", "swish")
LINES = (
    *("hard_tanh", "hardshrink", "identity", "leaky_relu", "relu", "relu6", "rrelu", "softshrink"),
    *("sparse_sigmoid", "threshold"),
)


class Row(NamedTuple):
    """A kernel and its worst error over finite z, beside kinks where it is a slope."""

    activation: str
    what: str
    library: str
    worst: float
    at: float
    share: float
    at_infinity: bool


def kernels(name):
    """Return the libraries that have an activation, with functions of arrays for the value and the slope."""
    record = gt.activation(name)
    functions = {"NumPy": NUMPY[name]} if name in NUMPY else {}
    if "torch" in record.peers:
        functions["PyTorch"] = _of_torch(named(record.peers["torch"]))
    if "jax" in record.peers:
        functions["JAX"] = _of_jax(named(record.peers["jax"]))
    functions["gradtheory"] = (lambda z: record.value(z).astype(z.dtype), lambda z: record.slope(z).astype(z.dtype))
    return functions


def _of_torch(function):
    import torch

    def slope(z):
        leaf = torch.tensor(z, requires_grad=True)
        function(leaf).sum().backward()
        return leaf.grad

    return lambda z: function(torch.tensor(z)), slope


def _of_jax(function):
    import jax

    jax.config.update("jax_enable_x64", True)
    return lambda z: function(jax.numpy.asarray(z)), lambda z: jax.vmap(jax.grad(function))(jax.numpy.asarray(z))


def rows(name, dtype):
    """Measure all kernels of an activation."""
    kinks = [float(np.dtype(dtype).type(kink)) for kink in gt.activation(name).kinks]
    for library, functions in kernels(name).items():
        for order, (what, function) in enumerate(zip(_WHAT, functions, strict=True)):
            errors = kernel_errors(function, name, derivative=order, dtype=dtype)
            finite = np.isfinite(errors.z) & ~(np.isin(errors.z, kinks) & bool(order))
            ulp, worst = errors.ulp[finite], errors.ulp[finite].argmax()
            limits = errors.ulp[~np.isfinite(errors.z)]
            share = float(np.mean(ulp <= 1.0))
            yield Row(name, what, library, ulp[worst], errors.z[finite][worst], share, bool((limits <= 1.0).all()))


def listed():
    """Return the names of the page."""
    return [name for name in gt.activation_names() if name not in {*LINES, *_TWINS}]


_TABLE_HEAD = (
    "| activation | what | library | worst ulp | at z | within 1 ulp | ±∞, nan |\n|---|---|---|---|---|---|---|\n"
)
_ROW = re.compile(
    r"\| (?P<activation>\w+) \| (?P<what>\w+) \| (?P<library>\w+) \| (?P<worst>[\w.+-]+) \| [^|]*\|[^|]*\|[^|]*\|"
)


def _number(number):
    if number == 0 or not np.isfinite(number):
        return f"{number:.0f}"
    return f"{number:.2g}" if abs(number) < 10 else f"{number:.0f}" if abs(number) < 1000 else f"{number:.0e}"


def _line(row):
    cells = (row.activation, row.what, row.library, _number(row.worst), f"{row.at:.5g}", f"{row.share:.0%}")
    return f"| {' | '.join(cells)} | {'right' if row.at_infinity else 'wrong'} |\n"


def page():
    """Return the page, measured now."""
    import jax
    import torch

    versions = f"NumPy {np.__version__}, SciPy {scipy.__version__}, torch {torch.__version__}, jax {jax.__version__}"
    parts = [_INTRODUCTION.format(versions=versions, machine=f"{platform.machine()}, {platform.system()}")]
    for dtype in TYPES:
        lines = "".join(_line(row) for name in listed() for row in rows(name, dtype))
        parts.append(f"\n## {dtype}\n\n{_TABLE_HEAD}{lines}")
    return "".join(parts)


def stored():
    """Return the worst errors of the page in docs, by float type, activation, what and library."""
    values = {}
    for part in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        dtype = part.split("\n", 1)[0]
        for row in _ROW.finditer(part):
            values[dtype, row["activation"], row["what"], row["library"]] = float(row["worst"])
    return values


_INTRODUCTION = """\
# How accurate activation kernels are

Written by `.venv-peers/bin/python -m tests.peers.kernels` with {versions}
on a CPU ({machine}). `make test-peers` measures again and compares: each figure must be within a factor of 4, or below
4 ulp both times, since vector libraries differ between machines.

The points are those of `gradtheory.testing.kernel_errors`, some 1,750 for each activation: from the least subnormal
number to the greatest, around every turning point, and where exponentials overflow. One ulp is a unit in the last place
of the exact number, which is known by ball arithmetic; next to a zero of σ' it is that of the numbers beside it, and
results below the least normal number may be flushed to 0. In float64 the exact number is rounded first, so that errors
are whole numbers.

- **value, slope**: σ and σ'. Slopes of PyTorch and JAX are by autograd; those of NumPy are the usual formulas, such as
  σ(1 - σ) for the sigmoid. Kinks are left out of the slopes: which one-sided slope is taken there is a convention.
- **worst ulp** over all finite z, and where. *inf* is a nan or an overflow where the exact number is finite, or a finite
  number where it overflows. Figures such as 5e+15 say that no digit is right: often the result is 0 in place of a tiny
  number, or the other way round, which does harm only where its relative accuracy counts, as in a product.
- **±∞, nan**: whether the limits at ±∞ are taken, where there are any, and whether σ(nan) is nan.
- **NumPy** is NumPy or SciPy as one writes it: `expit(z)`, `z*ndtr(z)`, `np.logaddexp(0, z)`, `log_expit(z)`, ….
  The formulas stand in `tests/peers/kernels.py`. **gradtheory** computes in float64 and is rounded to float32 below.

Piecewise linear activations are left out: beside kinks all libraries have their values and slopes within 1 ulp, except
hard_sigmoid, which is listed, and JAX for subnormal z, which it takes for 0. swish and celu are silu and elu at their
defaults. What the figures come from is in [findings](findings.md).
"""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
