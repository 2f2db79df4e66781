r"""A gradient oracle for tests: of your own backpropagation, autodiff rule or activation kernel.

>>> import gradtheory as gt
>>> from gradtheory import testing
>>> def gradients(x, y, w, b):
...     result = gt.Chain(depth=len(w)).backprop(x, y, w, b)
...     return {"loss": result.loss, "w": result.w, "b": result.b, "x": result.x}
>>> testing.assert_gradients(gradients, activation="sigmoid", cases=20)

Plain asserts: they work under pytest, pytest-xdist and unittest. hypothesis, where it is installed, generates the cases
and shrinks the failing one; without it the cases are a fixed list.
"""

import lazy_loader

from gradtheory.errors import public
from gradtheory.testing.cases import ChainCase, NetworkCase
from gradtheory.testing.enclosed import Enclosed
from gradtheory.testing.gradients import (
    assert_gradients,
    assert_gradients_at,
    assert_network_gradients,
    assert_network_gradients_at,
)
from gradtheory.testing.kernels import KernelErrors, assert_activation, kernel_errors
from gradtheory.testing.reference import ReferenceGradients, reference_activation, reference_gradients

__getattr__, _, _ = lazy_loader.attach(__name__, ["strategies"])

__all__ = [
    "ChainCase",
    "Enclosed",
    "KernelErrors",
    "NetworkCase",
    "ReferenceGradients",
    "assert_activation",
    "assert_gradients",
    "assert_gradients_at",
    "assert_network_gradients",
    "assert_network_gradients_at",
    "kernel_errors",
    "reference_activation",
    "reference_gradients",
]


public(__name__)
