"""Bad input: each call is refused at once by one clear line that names the argument and the rule."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import sympy

import gradtheory as gt
from gradtheory.arithmetic.inputs import read_real
from gradtheory.errors import GradTheoryError, InvalidArgument

_X = sympy.Symbol("x")
_CHAIN = gt.Chain(depth=3)
_DEEP = gt.Chain(depth=sympy.Symbol("L", integer=True, positive=True))
_DATA = {"x": [1.0, 2.0], "y": [0.0, 1.0], "w": [1.0, 2.0, 3.0], "b": [0.0, 0.0, 0.0]}


def backprop(**changes):
    return _CHAIN.backprop(**(_DATA | changes))


_REJECTED = {
    "w": [
        lambda w=w: gt.explosion_set("sigmoid", w=w)
        for w in (
            float("nan"),
            float("inf"),
            -float("inf"),
            1j,
            None,
            True,
            "seven",
            "",
            "nan",
            "inf",
            "1e999999999",
            "9" * 100_000,
            "__import__('os')",
            "1/0",
            "1_000",
            "0x10",
            "1e",
            [7],
            np.array([7.0]),
            {"w": 7},
            Decimal("nan"),
            Decimal("inf"),
            sympy.nan,
            sympy.oo,
            sympy.zoo,
            sympy.I,
            sympy.true,
            sympy.sqrt(-2),
            _X,
            sympy.Symbol("w", imaginary=True),
            np.float64("nan"),
            Decimal("1e99999"),
            10**5000,
            Fraction(1, 10**5000),
            sympy.Pow(10, 10**10, evaluate=False),
            sympy.Interval(0, 1),
            object(),
            np.complex128(1),
        )
    ],
    "b": [
        lambda b=b: gt.explosion_set("tanh", 7, b=b) for b in (float("nan"), "x", None, 2j, sympy.oo, _X, "--1", False)
    ],
    "threshold": [
        *(
            lambda c=c: gt.explosion_set("relu", 7, threshold=c)
            for c in (0, -1, "0", float("nan"), None, -sympy.pi, _X)
        ),
        lambda: gt.explosion_width("sigmoid", 7, threshold=0),
        lambda: gt.critical_weight("sigmoid", threshold=-4),
        lambda: gt.widest_explosion("sigmoid", threshold="-1/2"),
    ],
    "activation": [
        *(
            lambda a=a: gt.explosion_set(a, 7)
            for a in ("sigmod", "", "SIGMOID", None, 3, 10**5000, "os.system", b"relu")
        ),
        lambda: gt.activation("hard_tahn"),
        lambda: gt.Chain(depth=2, activation="rleu"),
        lambda: gt.Chain(depth=2, activation=["tanh"]),
        lambda: gt.Chain(depth=2, activation=["tanh", "tahn"]),
        lambda: gt.Chain(depth=2, activation=7),
        lambda: gt.Chain(depth=sympy.Symbol("L", integer=True), activation=["tanh"]),
        lambda: gt.plots.width_over_weight("relu"),
    ],
    "depth": [
        *(
            lambda d=d: gt.Chain(depth=d)
            for d in (0, -1, 2.5, True, None, "3", 10**23, _X, sympy.Rational(3, 2), sympy.S(0))
        ),
        lambda: gt.Chain(depth=sympy.Symbol("L", integer=True, negative=True)),
        lambda: _DEEP.backprop(1, 1, [1], [1]),
        lambda: _DEEP.substitute(_X),
        lambda: list(_DEEP.w),
        lambda: gt.Chain(depth=50).substitute(_X),
    ],
    "expr": [lambda each=each: _CHAIN.substitute(each) for each in (5, "a_3", None, [_X])],
    "z": [
        *(lambda z=z: gt.activation("sigmoid").value(z) for z in ("abc", 1j, None, True, [[1.0], [1.0, 2.0]], 10**400)),
        lambda: gt.activation("sigmoid").slope("0.5"),
    ],
    "loss": [
        *(lambda each=each: gt.Chain(depth=2, loss=each) for each in ("mse", None, 1)),
        *(
            lambda each=each: gt.Chain(2, each, "cross_entropy")
            for each in ("tanh", "hard_sigmoid", "gaussian", "relu")
        ),
    ],
    "wrt": [
        *(lambda s=s: _CHAIN.gradient(s) for s in (_X, _CHAIN.z[1], _CHAIN.a[2], _CHAIN.y, "w1", None, 3)),
        lambda: _CHAIN.gradient(gt.Chain(depth=9).w[9]),
        lambda: _CHAIN.gradient(_DEEP.w[sympy.Symbol("l", integer=True)]),
        lambda: _DEEP.gradient(_DEEP.z[sympy.Symbol("l", integer=True)]),
        lambda: _CHAIN.gradient(sympy.Symbol("w_0", real=True)),
        lambda: _CHAIN.symbol("z1"),
        lambda: _CHAIN.symbol(""),
        lambda: _CHAIN.symbol(3),
        lambda: _CHAIN.gradient(np.array([1, 2])),
    ],
    "layer": [
        *(
            lambda each=each: _CHAIN.w[each]
            for each in (0, 4, -1, 1.5, "1", None, True, sympy.Symbol("l"), slice(1, 2))
        ),
        lambda: _CHAIN.a[-1],
        lambda: _CHAIN.layer_jacobian(4),
        lambda: _CHAIN.symbol("w4"),
    ],
    "x": [
        *(
            lambda x=x: backprop(x=x)
            for x in ([np.nan, 1.0], [np.inf, 1.0], ["a", "b"], [1j, 2j], None, [[1.0], [1.0, 2.0]])
        ),
        lambda: _CHAIN.substitute(_CHAIN.a[3], x=float("nan")),
    ],
    "y": [lambda: backprop(y=[0.0, np.nan]), lambda: backprop(y="one"), lambda: backprop(y=[True, False])],
    "w.shape": [lambda: backprop(w=[1.0, 2.0]), lambda: backprop(w=1.0), lambda: backprop(w=[[1.0, 2.0, 3.0]])],
    "b.shape": [lambda: backprop(b=[1.0] * 4), lambda: backprop(b=0.0)],
    "shapes": [
        lambda: backprop(x=[1.0, 2.0, 3.0]),
        lambda: backprop(w=np.ones((3, 5))),
        lambda: backprop(x=np.ones((2, 3)), y=np.ones((3, 2))),
    ],
    "reduction": [
        lambda: backprop(reduction="mean"),
        lambda: backprop(reduction=None),
        lambda: backprop(reduction=np.array(["sum", "none"])),
    ],
    "numbers": [
        lambda: _CHAIN.substitute(_CHAIN.a[3], w=[1, 2]),
        lambda: _CHAIN.substitute(_CHAIN.a[3], w="123"),
        lambda: _CHAIN.substitute(_CHAIN.a[3], b=[1, 2, "x"]),
        lambda: _CHAIN.substitute(_CHAIN.a[3], b=7),
        lambda: _CHAIN.substitute(_CHAIN.a[3], b=np.array(5)),
    ],
}
_NAMES = {"layer": ("[layer]", "layer", "wrt"), "shapes": ("shapes of x, y",), "numbers": ("w =", "b =", "b[3] =")}


@pytest.mark.parametrize("argument", _REJECTED)
def test_bad_values_of_an_argument_are_refused_with_one_clear_line(argument):
    for call in _REJECTED[argument]:
        with pytest.raises(InvalidArgument) as caught:
            call()
        message = str(caught.value)
        assert any(name in message.partition(":")[0] for name in _NAMES.get(argument, (argument,))), message
        assert "\n" not in message
        assert "must" in message or "is " in message or "needs" in message or "has no" in message, message
        assert len(message) < 400
        assert isinstance(caught.value, GradTheoryError)
        assert isinstance(caught.value, ValueError)


def test_the_nearest_names_are_said():
    with pytest.raises(InvalidArgument, match="nearest names are sigmoid, log_sigmoid, hard_sigmoid"):
        gt.activation("sigmod")
    with pytest.raises(InvalidArgument, match="activation_names"):
        gt.activation("?")


def test_a_value_that_cannot_be_shown_does_not_hide_the_message():
    class Unprintable:
        def __repr__(self):
            raise RuntimeError

    with pytest.raises(InvalidArgument, match="<Unprintable>"):
        gt.critical_weight("sigmoid", threshold=Unprintable())


class _Tensor:
    """Like one of PyTorch that requires a gradient."""

    def __array__(self, *_, **__):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad.")


@pytest.mark.parametrize(
    "call",
    [
        lambda: _CHAIN.backprop(**(_DATA | {"x": _Tensor()})),
        lambda: _CHAIN.backprop(**(_DATA | {"x": [np.longdouble(10) ** 400] * 2})),
        lambda: gt.arrays.explosion_width("tanh", 2.0, threshold=np.float32("inf")),
        lambda: gt.critical_weight("tanh", threshold=np.dtype(float)),
        lambda: gt.critical_weight("tanh", effort=np.float16("inf")),
        lambda: gt.explosion_set("tanh", w=sympy.Sum(_X, (_X, 1, 3))),
        lambda: gt.precision.range(10**5000),
        lambda: gt.meanfield.gradients("tanh", 3, 1.7e308),
        lambda: gt.meanfield.correlation_map("tanh", 0.5, 1.0, 1.7e308),
        lambda: gt.meanfield.correlation_slope("tanh", 0.5, 1.0, 1.7e308),
        lambda: gt.log_jacobian([2, 2], "tanh", 1.7e308),
    ],
)
def test_what_leaves_a_type_or_breaks_off_is_refused_in_one_line(call):
    with pytest.raises(InvalidArgument) as error:
        call()
    assert "\n" not in str(error.value)
    assert "as good as constant" not in str(error.value)


def test_short_floats_are_efforts():
    assert gt.critical_weight("sigmoid", effort=np.float16(2)) == 4


def test_a_list_that_holds_itself_is_refused():
    endless = []
    endless.append(endless)
    with pytest.raises(InvalidArgument, match="activation"):
        gt.critical_weight(endless)
    with pytest.raises(InvalidArgument, match="must be an array of real numbers"):
        gt.testing.reference_gradients(gt.Chain(1), endless, [0.0], [1.0], [0.0])


@pytest.mark.parametrize(
    ("given", "exact"),
    [
        (7, 7),
        ("0.3", sympy.Rational(3, 10)),
        (" -3 / 10 ", sympy.Rational(-3, 10)),
        ("1e-20", sympy.Rational(1, 10**20)),
        ("+.5", sympy.Rational(1, 2)),
        ("1" * 1000, sympy.Integer((10**1000 - 1) // 9)),
        (0.1, sympy.Rational(3602879701896397, 36028797018963968)),
        (5e-324, sympy.Rational(1, 2**1074)),
        (Fraction(1, 3), sympy.Rational(1, 3)),
        (Decimal("0.1"), sympy.Rational(1, 10)),
        (np.float64(0.5), sympy.Rational(1, 2)),
        (np.float32(0.1), sympy.Rational(13421773, 134217728)),
        (np.int64(3), 3),
        (np.array(2.5), sympy.Rational(5, 2)),
        (sympy.Float("0.5"), sympy.Rational(1, 2)),
        (sympy.Float("0.5") * sympy.pi, sympy.pi / 2),
        (sympy.sqrt(2), sympy.sqrt(2)),
    ],
)
def test_numbers_are_exact_at_the_door(given, exact):
    assert read_real(given, "w") == exact
