"""The page of kernels: the script still gives its rows, and its figures are near fresh ones."""

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.testing import kernel_errors
from tests.peers import kernels

_REASON = "`make test-peers` installs it and runs this"
torch = pytest.importorskip("torch", reason=_REASON)
jax = pytest.importorskip("jax", reason=_REASON)

_STORED = kernels.stored()


@pytest.mark.parametrize("dtype", kernels.TYPES)
@pytest.mark.parametrize("which", kernels.listed())
def test_the_page_is_not_stale(which, dtype):
    fresh = {(dtype, which, row.what, row.library): row.worst for row in kernels.rows(which, dtype)}
    stored = {key: worst for key, worst in _STORED.items() if key[:2] == (dtype, which)}
    assert stored.keys() == fresh.keys(), "run `python -m tests.peers.kernels`"
    for key, worst in fresh.items():
        before = stored[key]
        are_lost = min(before, worst) > 1e6  # no digit is right: whether inf or a number depends on the processor
        is_near = are_lost or max(before, worst) < 4.0 or worst / 4.0 <= before <= worst * 4.0
        assert is_near, (key, before, worst)


def test_the_page_has_no_other_rows():
    assert {key[:2] for key in _STORED} == {(dtype, each) for dtype in kernels.TYPES for each in kernels.listed()}


@pytest.mark.parametrize("dtype", kernels.TYPES)
@pytest.mark.parametrize("which", kernels.LINES)
def test_what_the_page_leaves_out_is_right(which, dtype):
    """Beside kinks, and except for subnormal z, which JAX takes for 0."""
    limits = np.finfo(dtype)
    kinks = [float(kink) for kink in gt.activation(which).kinks]
    for library, functions in kernels.kernels(which).items():
        for order, function in enumerate(functions):
            errors = kernel_errors(function, which, derivative=order, dtype=dtype)
            counted = np.isfinite(errors.z) & ~(np.abs(errors.z) < limits.tiny)
            for kink in kinks if order else ():
                counted &= np.abs(errors.z - kink) > 2.0 * float(limits.eps) * abs(kink)
            assert errors.ulp[counted].max() <= 1.0, (library, order, errors)
