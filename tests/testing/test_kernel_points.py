"""Where activation kernels are tried, what is left out on request, and what the message shows."""

import math

import numpy as np
import pytest

from gradtheory import testing
from gradtheory.errors import InvalidArgument
from tests.shapes import slow_except

_TYPES = ("float16", "float32", "float64")


def logistic(z):
    return np.where(z >= 0, 1.0, np.exp(np.minimum(z, 0.0))) / (1.0 + np.exp(-np.abs(z)))


def message(*arguments, **more):
    with pytest.raises(AssertionError) as caught:
        testing.assert_activation(*arguments, **more)
    return str(caught.value).splitlines()


def plain_softsign(z):
    return z / (1.0 + np.abs(z))  # inf/inf at inf


@pytest.mark.sampled(3)
@pytest.mark.parametrize("dtype", _TYPES)
@pytest.mark.parametrize("which", slow_except({"softplus"}, ["softplus", "relu", "sine", "hard_swish"]))
@pytest.mark.parametrize("derivative", [0, 1, 2])
def test_both_zeros_are_tried_once(which, derivative, dtype):
    z = testing.kernel_errors(np.copy, which, derivative=derivative, dtype=dtype).z
    assert sorted(np.signbit(z[z == 0.0])) == [False, True]


@pytest.mark.parametrize("is_negative", [False, True])
def test_a_slope_that_is_wrong_at_one_zero_alone_is_found(is_negative):
    def slope(z):
        right = logistic(z.astype(float)).astype(np.float32)
        return np.where((z == 0) & (np.signbit(z) == is_negative), np.float32(0.0), right)

    first = message(slope, "softplus", derivative=1, dtype="float32")[0]
    assert f"at z = {'-' if is_negative else ''}0.0, more than 4" in first


def test_infinities_are_left_out_on_request():
    text = message(plain_softsign, "softsign")
    assert "is off by inf ulp at z = -inf, more than 4" in text[0]
    assert text[1].endswith("; infinities=False leaves ±inf out")
    testing.assert_activation(plain_softsign, "softsign", infinities=False)
    errors = testing.kernel_errors(plain_softsign, "softsign", infinities=False)
    assert not np.isinf(errors.z).any()
    assert np.isnan(errors.z).any()
    assert len(errors.z) == len(errors.returned) == len(errors.exact) == len(errors.ulp)
    assert np.isinf(testing.kernel_errors(plain_softsign, "softsign").z).any()  # what is kept for later is not cut


@pytest.mark.parametrize("call", [testing.kernel_errors, testing.assert_activation])
def test_infinities_is_true_or_false(call):
    with pytest.raises(InvalidArgument, match=r"infinities = 'no': must be True or False"):
        call(np.tanh, "tanh", infinities="no")


def test_the_worst_finite_point_is_shown_where_infinities_fail_too():
    def off_at_3(z):
        return plain_softsign(z) * np.where(z == 3.0, 1 + 1e-12, 1.0)

    text = message(off_at_3, "softsign")
    assert "at z = -inf" in text[0]
    assert text[1].startswith("at finite z it is off by ")
    assert text[1].endswith(" ulp at most, at z = 3.0")
    assert not any("infinities=False" in line for line in text)
    assert "at z = 3.0, more than 4" in message(off_at_3, "softsign", infinities=False)[0]


def test_the_failure_nearest_to_0_comes_first():
    def wrong_from_2(z):
        return np.tanh(z) * np.where(np.abs(z) >= 2, 1 - 1e-3 * np.minimum(np.abs(z), 10.0), 1.0)

    text = message(wrong_from_2, "tanh")
    heading = next(place for place, line in enumerate(text) if line.split() == ["z", "yours", "exact", "ulp"])
    rows = [float(line.split()[0]) for line in text[heading + 1 :]]
    assert abs(rows[0]) == 2.0
    assert len(rows) == len(set(rows)) == 6
    assert all(abs(each) > 9 for each in rows[1:])


def test_a_failure_at_nan_alone_is_shown():
    text = message(lambda z: np.where(np.isnan(z), 0.0, np.tanh(z)), "tanh")
    assert "at z = nan" in text[0]
    assert text[-6].split()[0] == "nan"


@pytest.mark.parametrize("fn", [math.tanh, lambda z: z.sigmoid(), lambda z: z.nothing()])
def test_a_function_that_takes_no_array_is_named_in_one_line(fn):
    with pytest.raises(InvalidArgument, match=r"fn = .*: must take a NumPy array of shape .*; it raised") as caught:
        testing.assert_activation(fn, "tanh")
    assert "\n" not in str(caught.value)


def test_numbers_of_float32_are_named():
    with pytest.raises(AssertionError, match=r"All that it returned are numbers of float32: .* pass dtype='float32'"):
        testing.assert_activation(lambda z: np.tanh(z.astype(np.float32)), "tanh")
    with pytest.raises(AssertionError) as caught:
        testing.assert_activation(lambda z: 1.0 + np.tanh(z), "tanh")
    assert "float32" not in str(caught.value)


def test_a_kernel_that_changes_its_argument_is_refused():
    with pytest.raises(InvalidArgument, match=r"fn = .*: must not change its argument in place"):
        testing.assert_activation(lambda z: np.tanh(z, out=z), "tanh")
