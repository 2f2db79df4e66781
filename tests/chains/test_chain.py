"""The chain in SymPy: its gradients against differentiation, symbolic depth against numbers, linear size."""

import pickle
import sys

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.chains.symbols import equation as unevaluated
from gradtheory.derivation import GENERIC
from gradtheory.errors import InvalidArgument
from tests.shapes import SHAPES

_LAYER, _DEPTH = sympy.symbols("l L", integer=True, positive=True)


def losses_for(name):
    return ("squared", "cross_entropy") if name == "sigmoid" else ("squared",)


def test_gradient_is_the_derivative_of_the_closed_loss_for_every_activation():
    """For an undefined σ, SymPy's chain rule and ours agree symbol by symbol; so they do for each σ."""
    for depth in (1, 2, 3, 5):
        chain = gt.Chain(depth=depth, activation=GENERIC)
        closed = chain.substitute(chain.forward()[-1].rhs)
        for symbol in (*chain.w, *chain.b, chain.x):
            assert sympy.expand(chain.substitute(chain.gradient(symbol)) - closed.diff(symbol)) == 0


@pytest.mark.quick_for("exponential", "hardshrink", "log_cosh", "sigmoid", "snake")
def test_gradient_is_the_derivative_at_numbers(shape):
    for loss in losses_for(shape):
        chain = gt.Chain(depth=2, activation=shape, loss=loss)
        w, b, x, y = (
            [sympy.Rational(3, 2), -2],
            [sympy.Rational(1, 7), sympy.Rational(1, 3)],
            sympy.Rational(2, 5),
            sympy.S.One / 4,
        )
        numbers = {chain.x: x, chain.y: y} | dict(zip(chain.w, w, strict=True)) | dict(zip(chain.b, b, strict=True))
        for symbol in (*chain.w, *chain.b, chain.x):
            free = {key: value for key, value in numbers.items() if key != symbol}
            cost = chain.substitute(chain.forward()[-1].rhs).subs(free)
            exact = chain.substitute(chain.gradient(symbol), x=x, y=y, w=w, b=b).n(40)
            step = sympy.Rational(1, 10**20)
            quotient = (cost.subs(symbol, numbers[symbol] + step) - cost.subs(symbol, numbers[symbol] - step)).n(70) / (
                2 * step
            )
            assert abs(exact - quotient) < sympy.Float("1e-30") * (1 + abs(exact))


def test_recursion_gives_the_product(name):
    chain = gt.Chain(depth=4, activation=name)
    errors = {}
    for equation in chain.backward():
        errors[equation.lhs] = equation.rhs.xreplace(errors)
    for symbol, gradient in chain.gradients().items():
        assert sympy.expand(gradient.xreplace(errors) - chain.gradient(symbol)) == 0


@pytest.mark.quick_for("log_sigmoid", "quadratic", "sigmoid", "snake")
def test_symbolic_depth_becomes_the_concrete_chain(shape):
    for loss in losses_for(shape):
        deep = gt.Chain(depth=_DEPTH, activation=shape, loss=loss)
        for depth in (1, 2, 5, *([120] if shape in SHAPES else [])):
            chain = gt.Chain(depth=depth, activation=shape, loss=loss)
            for layer in {1, depth // 2 + 1, depth}:
                numbers = {_LAYER: layer, _DEPTH: depth}
                for symbols in (chain.w, chain.b):
                    letter = getattr(deep, symbols.name)
                    assert deep.gradient(letter[_LAYER]).subs(numbers).doit() == chain.gradient(symbols[layer])
                    assert deep.gradient(letter[layer]).subs(_DEPTH, depth).doit() == chain.gradient(symbols[layer])
                assert deep.layer_jacobian(_LAYER).subs(_LAYER, layer) == chain.layer_jacobian(layer)
            assert deep.gradient(deep.x).subs(_DEPTH, depth).doit() == chain.gradient(chain.x)


def test_symbolic_equations_become_the_concrete_ones():
    deep, chain = gt.Chain(depth=_DEPTH), gt.Chain(depth=3)
    generic = next(symbol for symbol in deep.forward()[0].free_symbols if symbol.name == "l")
    concrete = {equation.lhs: equation.rhs for equation in (*chain.forward(), *chain.backward())}
    for equation in (*deep.forward(), *deep.backward()):
        numbered = equation.subs({generic: 2, _DEPTH: 3})
        assert concrete[numbered.lhs] == numbered.rhs
    for symbol, gradient in deep.gradients().items():
        assert chain.gradients()[symbol.subs(generic, 2)] == gradient.subs(generic, 2)


def test_a_product_with_symbolic_limits_is_a_sympy_product():
    deep = gt.Chain(depth=_DEPTH, activation="elu")
    (product,) = deep.gradient(deep.w[_LAYER]).atoms(sympy.Product)
    assert product.doit() == product
    assert r"\prod_{k=l + 1}^{L}" in sympy.latex(product)
    assert "Product(" in str(product)


@pytest.mark.parametrize(("first", "last", "index"), [("l", "L", "k"), ("k", "L", "m"), ("k", "m", "n")])
def test_a_product_runs_over_a_letter_of_its_own(first, last, index):
    bounds = [sympy.Symbol(letter, integer=True, positive=True) for letter in (first, last)]
    (product,) = gt.Chain(depth=_DEPTH).layer_jacobians(*bounds)
    ((letter, *ends),) = product.limits
    assert (letter.name, ends) == (index, bounds)


def test_forward_in_named_symbols():
    chain = gt.Chain(depth=2, activation=["tanh", "sigmoid"], loss="cross_entropy")
    z, a, w, b = chain.z, chain.a, chain.w, chain.b
    assert [equation.lhs for equation in chain.forward()] == [z[1], a[1], z[2], a[2], chain.C]
    assert chain.forward()[2].rhs == w[2] * a[1] + b[2]
    assert chain.forward()[1].rhs == sympy.tanh(z[1])
    assert a[0] == chain.x
    assert chain.layer_jacobian(1) == w[1] / sympy.cosh(z[1]) ** 2
    slope = chain.loss_record.slope_expr
    assert sympy.simplify(slope - chain.loss_record.expr.diff(*(s for s in slope.free_symbols if s.name == "a"))) == 0


def test_symbols_print_as_in_a_paper():
    chain = gt.Chain(depth=3)
    assert [str(symbol) for symbol in (chain.w[1], chain.a[0], chain.delta[2])] == ["w_1", "x", "delta_2"]
    assert [sympy.latex(symbol) for symbol in (chain.w[1], chain.delta[2])] == ["w_{1}", r"\delta_{2}"]
    assert sympy.latex(chain.delta[_LAYER + 1]) == r"\delta_{l + 1}"
    assert str(chain.delta[_LAYER + 1]) == "delta_(l + 1)"
    assert (len(chain.w), len(chain.a), list(chain.b)) == (3, 4, [chain.b[k] for k in (1, 2, 3)])
    assert chain.symbol("b_2") == chain.b[2]
    assert chain.symbol("w3") == chain.w[3]
    assert chain.symbol("x") == chain.x


def test_symbols_have_a_letter_and_a_layer():
    chain = gt.Chain(depth=3)
    assert [chain.locate(each) for each in (chain.x, chain.w[1], chain.b[3])] == [("a", 0), ("w", 1), ("b", 3)]


def test_chains_are_values(name):
    chain = gt.Chain(depth=3, activation=name)
    assert chain == gt.Chain(3, name)
    assert hash(chain) == hash(gt.Chain(3, name))
    assert chain != gt.Chain(depth=2, activation=name)
    assert pickle.loads(pickle.dumps(chain)) == chain


@given(st.lists(st.sampled_from(gt.activation_names()), min_size=1, max_size=6))
def test_one_activation_a_layer(names):
    chain = gt.Chain(depth=len(names), activation=names)
    for layer, name in enumerate(names, start=1):
        slope = gt.activation(name).slope_expr.subs(Z, chain.z[layer])
        assert chain.layer_jacobian(layer) == slope * chain.w[layer]
    assert [record.name for record in chain.layer_activations] == names


@pytest.mark.slow
def test_size_grows_linearly_with_depth():
    def size(depth):
        chain = gt.Chain(depth=depth)
        sides = [side for equation in (*chain.forward(), *chain.backward()) for side in equation.args]
        return sum(side.count_ops() for side in (*sides, *chain.gradients().values(), chain.gradient(chain.w[1])))

    assert size(400) - size(200) == 2 * (size(200) - size(100))


@pytest.mark.slow
def test_depth_4000_hits_no_recursion_limit():
    assert sys.getrecursionlimit() < 4_000
    chain = gt.Chain(depth=4_000)
    assert len(chain.gradients()) == 8_001
    assert len(chain.gradient(chain.w[1]).args) > 8_000


def test_substitute_puts_numbers_in():
    chain = gt.Chain(depth=30, activation="relu")
    exact = chain.substitute(chain.gradient(chain.w[1]), x=1, y=2, w=[1] * 30, b=["1/2"] * 30)
    assert exact == 14
    chain = gt.Chain(depth=2, activation="arctan")
    closed = chain.substitute(chain.delta[1])
    assert closed.free_symbols == {chain.x, chain.y, *chain.w, *chain.b}
    assert chain.substitute(chain.gradient(chain.b[1])) == closed


def test_closed_expressions_too_large_are_refused():
    for activation, depth in (("softsign", 30), ("sigmoid", 41)):
        with pytest.raises(InvalidArgument, match="keep the named"):
            gt.Chain(depth=depth, activation=activation).substitute(sympy.S.One)


@pytest.mark.parametrize("letter", ["l", "k", "n", "z"])
def test_the_depth_may_have_any_letter(letter):
    depth = sympy.Symbol(letter, integer=True, positive=True)
    deep, chain = gt.Chain(depth=depth), gt.Chain(depth=3)
    assert len({equation.lhs for equation in deep.backward()}) == 2
    layer = sympy.Symbol("l'" if letter == "l" else "l", integer=True, positive=True)
    assert [equation.lhs for equation in deep.backward()] == [deep.delta[depth], deep.delta[layer]]
    assert deep.gradient(deep.w[1]).subs(depth, 3).doit() == chain.gradient(chain.w[1])


def test_exact_numbers_may_go_deeper():
    assert gt.Chain(50, "relu").substitute(gt.Chain(50, "relu").a[50], x=1, w=[1] * 50, b=[0] * 50) == 1


def test_the_depth_is_an_int():
    assert type(gt.Chain(np.int64(3)).depth) is int


def test_the_deepest_closed_expression():
    chain = gt.Chain(40, "sigmoid")
    assert chain.substitute(chain.a[40]).has(chain.b[1])


def test_substitute_takes_each_layer_its_own_activation():
    chain = gt.Chain(2, ("tanh", "arctan"))
    assert chain.substitute(chain.a[2], x=1, w=[1, 1], b=[0, 0]) == sympy.atan(sympy.tanh(1))


@pytest.mark.parametrize(
    ("depth", "rows"),
    [
        (
            1,
            r"z_{1} &= w_{1} x + b_{1} \\ a_{1} &= \arctan\left(z_{1} \right) \\ C &= \frac{1}{2} \left(a_{1} - y\right)^{2}",
        ),
        (
            _DEPTH,
            r"z_{l} &= w_{l} a_{l - 1} + b_{l} \\ a_{l} &= \arctan\left(z_{l} \right) \\ C &= \frac{1}{2} \left(a_{L} - y\right)^{2}",
        ),
    ],
)
def test_jupyter_shows_the_forward_pass(depth, rows):
    assert gt.Chain(depth, "arctan")._repr_latex_() == rf"$\displaystyle \begin{{aligned}} {rows} \end{{aligned}}$"


_CHAIN, _DEEP = gt.Chain(3), gt.Chain(_DEPTH)
_WRT = "must be w[1] … w[3], b[1] … b[3] or x of this chain, such as chain.w[1]"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: gt.Chain(3, ["tanh"]),
            "activation = ['tanh']: must be the name of one activation, or a sequence of 3, one per layer",
        ),
        (
            lambda: gt.Chain(_DEPTH, ["tanh"]),
            "activation = ['tanh']: must be the name of one activation, or a sequence of L, one per layer",
        ),
        (lambda: _CHAIN.substitute("w_1"), "expr = 'w_1': must be a SymPy expression in this chain's symbols"),
        (lambda: _CHAIN.substitute(_CHAIN.x, x="q"), "x = 'q': "),
        (lambda: _CHAIN.substitute(_CHAIN.x, y="q"), "y = 'q': "),
        (lambda: _CHAIN.substitute(_CHAIN.x, w=[1, 2]), "w = [1, 2]: must be a sequence of 3 numbers, one per layer"),
        (lambda: _CHAIN.substitute(_CHAIN.x, b=1), "b = 1: must be a sequence of 3 numbers, one per layer"),
        (lambda: _CHAIN.substitute(_CHAIN.x, b=[0, 0, "q"]), "b[3] = 'q': "),
        (lambda: _DEEP.substitute(_DEEP.x), "depth = L: must be a number here; build the chain with an int"),
        (lambda: _DEEP.substitute(_DEEP.x, w=[1]), "depth = L: must be a number here; build the chain with an int"),
        (
            lambda: gt.Chain(41).substitute(sympy.S.One),
            "depth = 41: is too great: with layer 41 the closed expression nests too deep or exceeds 1000 symbols; "
            "keep the named z_l and a_l",
        ),
        (lambda: _CHAIN.symbol("q1"), "wrt = 'q1': must name a weight, a bias or the input, such as w1, b2 or x"),
        (lambda: _CHAIN.symbol(1), "wrt = 1: must name a weight, a bias or the input, such as w1, b2 or x"),
        (lambda: _CHAIN.gradient(_CHAIN.z[1]), f"wrt = z_1: {_WRT}"),
        (lambda: _CHAIN.gradient(gt.Chain(4).w[4]), f"wrt = w_4: {_WRT}"),
        (lambda: _CHAIN.gradient(sympy.Symbol("w_0", real=True)), f"wrt = w_0: {_WRT}"),
        (lambda: _CHAIN.gradient(sympy.Symbol("w_1")), f"wrt = w_1: {_WRT}"),
        (lambda: _CHAIN.gradient("w_1"), f"wrt = 'w_1': {_WRT}"),
        (
            lambda: _DEEP.gradient(_DEEP.z[_LAYER]),
            "wrt = z_l: must be w[1] … w[L], b[1] … b[L] or x of this chain, such as chain.w[1]",
        ),
    ],
)
def test_refusals_name_the_argument_its_value_and_the_rule(call, said):
    with pytest.raises(InvalidArgument) as caught:
        call()
    assert str(caught.value).startswith(said)


def test_bounds_of_a_product_are_not_read_as_text(tmp_path):
    run = f"__import__('pathlib').Path({str(tmp_path / 'ran')!r}).touch()"
    for name, bounds in (("first", (run, 2)), ("last", (1, run))):
        with pytest.raises(InvalidArgument) as raised:
            gt.Chain(2).layer_jacobians(*bounds)
        assert str(raised.value).startswith(f"{name} = {run!r:.20}")
        assert str(raised.value).endswith(": must be an integer, or an integer symbol")
    assert not (tmp_path / "ran").exists()


def test_a_symbol_of_no_layer_is_refused():
    with pytest.raises(InvalidArgument) as raised:
        gt.Chain(3).symbol("w9")
    assert str(raised.value) == "wrt = 'w9': must be of layer 1 to 3, such as w1"


def test_an_equation_is_kept_as_it_is_written():
    assert isinstance(unevaluated(sympy.S.One, sympy.S.One), sympy.Eq)
