"""Some of the calls with wrong types; `python -m tests.wrong_types` makes all of them."""

import random

import numpy as np
import pytest
import sympy

import gradtheory as gt
from gradtheory.errors import InvalidArgument
from tests import wrong_types


def test_every_public_function_is_called_or_named_as_a_result():
    assert wrong_types.public_names() == wrong_types.VALID.keys() | wrong_types.RESULTS


def test_some_wrong_types_are_refused_in_one_line():
    with wrong_types.elsewhere():
        faults = [f"{call}: {fault}" for call in wrong_types.sample(200) if (fault := call.fault())]
    assert not faults


@pytest.mark.slow
def test_many_wrong_types_are_refused_in_one_line():
    calls = list(wrong_types.calls())
    assert len(calls) > 15_000
    random.Random(1).shuffle(calls)
    some = [*{call.name: call for call in calls}.values(), *calls[:4_000]]  # every function is among them
    assert {call.value for call in some} == {call.value for call in calls}
    with wrong_types.elsewhere():
        faults = [f"{call}: {fault}" for call in some if (fault := call.fault())]
    assert not faults


def test_a_raw_error_would_be_seen():
    def broken(w):
        return w + 1

    call = wrong_types.Call("broken", "w", "text", broken, {"w": "x"})
    assert call.fault().startswith("TypeError")


class _Module:
    def __call__(self, x):
        return x

    def parameters(self):
        return iter([np.ones(3)])

    def __repr__(self):
        return "Sequential(\n  (0): Linear()\n)"


_DATA = {"x": [1.0], "y": [0.0], "w": [1.0, 1.0], "b": [0.0, 0.0]}
_CHAIN = gt.Chain(2, "tanh")
_Z = sympy.Symbol("z", real=True)


class GELU:
    """Stands for the layer of another library, like the next two."""


class LeakyReLU:
    pass


class Softmax:
    pass


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: gt.advise(_Module(), **_DATA),
            r"network = Sequential\( \(0\): Linear\(\) \): must be a gradtheory.Network, which",
        ),
        (lambda: gt.total_explosion_bound(_CHAIN, effort=10**400), "effort = 10*…: must be a positive number"),
        (lambda: gt.fact("widest").check({}), r"activation = \{\}: is not among"),
        (lambda: gt.total_explosion_bound(3), "chain = 3: must be a gradtheory.Chain, such as"),
        (
            lambda: gt.curvature.sharpness("tanh", **_DATA),
            r"network = 'tanh': must be a gradtheory.Network, which Network.from_torch\(module\) makes",
        ),
        (lambda: gt.Chain(3, np.tanh), "pass the name 'tanh'"),
        (lambda: gt.Network((2, 2), sympy.tanh), "pass the name 'tanh'"),
        (
            lambda: gt.train(_CHAIN, **_DATA, optimiser="adam"),
            "optimiser = 'adam': must be one of gradtheory.optimisers, such as",
        ),
        (lambda: gt.largest_stable_step(_CHAIN, **_DATA, optimiser=None), "optimiser = None: must be one of"),
        (
            lambda: gt.train(_CHAIN, **_DATA, optimiser=gt.optimisers.adam(0.1), clip=3),
            "clip = 3: must be a remedies.Clipping, or",
        ),
        (
            lambda: gt.Network((1, 1)).jacobian([[1.0], [1.0, 2.0]], [[[1.0]]], [[0.0]]),
            r"x = \[\[1.0\], \[1.0, 2.0\]\]: must be an array",
        ),
        (
            lambda: gt.arrays.explosion_width("tanh", [[1.0], [1.0, 2.0]]),
            r"w = \[\[1.0\], \[1.0, 2.0\]\]: must be an array",
        ),
        (
            lambda: gt.meanfield.chi("tanh", np.ma.array([1.0, 1e6], mask=[False, True]), sigma_w=1),
            "q = .*: must have no masked entries",
        ),
        (
            lambda: gt.meanfield.chi("tanh", [np.ma.array([1.0, 1e6], mask=[False, True])] * 2, sigma_w=1),
            "q = .*: must have no masked entries",
        ),
        (lambda: gt.explosion_set("tanh", np.ma.masked), "w = masked: must be one real number"),
        (lambda: gt.Chain(np.timedelta64(3, "s")), "depth = .*: must be an int from"),
        (lambda: _CHAIN.w[np.timedelta64(1, "s")], r"w\[layer\] = .*: the layer must be an integer"),
        (
            lambda: gt.arrays.explosion_width("tanh", [3.0, 4.0], out=np.array(["0.5", "1"])),
            r"out = '<U3 of shape \(2,\)': must be a NumPy array of float64",
        ),
        (
            lambda: gt.remedies.weight_decay_guarantee(_CHAIN, [1.0], [0.0], threshold="1e-400"),
            "threshold = '1e-400': must be from 1e-100 to 1e100",
        ),
        (lambda: gt.blocks.dense("tanh", "1e400"), "sigma_w = '1e400': must be within the range of float64"),
        (lambda: gt.meanfield.chi("tanh", [1, 2, 3], [1, 2]), r"shapes of q, sigma_w = .*: must broadcast"),
        (lambda: gt.meanfield.variance_map("tanh", 1, [1, 2, 3], [1, 2]), "shapes of q, sigma_w, sigma_b = .*: must"),
        (lambda: gt.meanfield.chi_parallel("tanh", [1, 2, 3], [1, 2]), r"shapes of q, sigma_w = .*: must broadcast"),
        (lambda: gt.meanfield.gradients("tanh", 3, [1, 2, 3], [1, 2]), "shapes of sigma_w, sigma_b = .*: must broad"),
        (
            lambda: gt.stability_region("adam").rate(h=[1, 2], eta=[1, 2, 3]),
            "shapes of h, eta, beta, .* must broadcast",
        ),
        (lambda: gt.stability_region("heavy_ball").tuning(2), r"rate = 2: must lie in \[0, 1\)"),
        (lambda: gt.stability_region("heavy_ball").tuning(-0.5), r"rate = -0.5: must lie in \[0, 1\)"),
        (
            lambda: gt.train(_CHAIN, **_DATA, optimiser=gt.optimisers.adam(0.1), schedule=lambda *_: None),
            "schedule = .*: must return a learning rate, such as 0.1, not None",
        ),
        (lambda: gt.factor_probability("tanh", z=[1, 2], sigma_w=[1, 2]), r"z = \[1, 2\]: must be one real number"),
        (
            lambda: gt.explosion_set(lambda z: z**3, 2),
            r"is a function: pass its formula, such as gradtheory.expression",
        ),
        (lambda: gt.plots.settling("tanh", of="c", starts=2), "starts = 2: must be correlations from 0 to 1"),
        (lambda: gt.plots.phase_diagram("tanh", networks=[[1, -1]]), r"networks\[:, 1\] = .*: must not be negative"),
        (
            lambda: gt.audit(gt.Network((1, 1), w=[[[1.0]]], b=[[0.0]]), [[1.0]], loss="mse"),
            "loss = 'mse': is used with y only",
        ),
        (lambda: gt.explosion_set("tanh", 2, strict="no"), "strict = 'no': must be True or False"),
        (lambda: gt.compare_activations(3), "activations = 3: must be a sequence"),
        (lambda: gt.derive("explosion", values=7), "values = 7: must be a mapping"),
        (lambda: gt.guarantee(0.5), "results = 0.5: must be in SymPy"),
        (lambda: gt.plots.glance("tanh", ax=3), "ax = 3: must be Axes of Matplotlib"),
        (lambda: gt.plots.chain_diagram("L"), "depth = 'L': must be an int"),
        (lambda: gt.plots.training_curve([1.0]), r"run = \[1.0\]: must be what gradtheory.train returned"),
        (lambda: list(gt.gains.write("")), "folder = '': must be a path"),
        (lambda: gt.activation("softmax"), "softmax': is no element-wise activation"),
        (
            lambda: gt.activation("z*tanh(z)"),
            r"is an expression and no name; pass gradtheory.expression\('z\*tanh\(z\)'\)",
        ),
        (lambda: gt.activation("tanh(z)"), "is an expression and no name"),
        (lambda: gt.activation(np.tanh), "is a function of another library; pass the name 'tanh'$"),
        (lambda: gt.activation(GELU()), "pass the name 'gelu', or 'gelu_tanh' for its approximation by tanh"),
        (
            lambda: gt.activation(LeakyReLU),
            r"pass the name 'leaky_relu', with its parameter, such as leaky_relu\(slope=1/100\)",
        ),
        (lambda: gt.activation(Softmax()), "is no element-wise activation"),
        (lambda: gt.derive("wiedst"), "; the nearest is 'widest'"),
        (lambda: gt.widest_explosion(sympy.sign(_Z)), r"activation = 'sign\(z\)': has the slope 0"),
        (
            lambda: gt.derive("gradient", sympy.Symbol("L", integer=True), wrt="banana"),
            "wrt = 'banana': must be 'all' or left out for L layers",
        ),
        (lambda: gt.derive("gradient", activation="tanh", loss="cross_entropy"), "and tanh has values from -1 to 1"),
        (lambda: gt.Chain(1, "identity", loss="cross_entropy"), "and identity has values without bound; end the chain"),
        (lambda: gt.Chain(1, "relu", loss="cross_entropy"), "and relu has values from 0 on, without bound; end"),
    ],
)
def test_the_line_names_argument_value_and_what_would_work(call, said):
    with pytest.raises(InvalidArgument, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: gt.optimisers.adam(lr=0.1), "'lr'; here it is called 'eta'"),
        (lambda: gt.optimisers.heavy_ball(0.1, momentum=0.5), "'momentum'; here it is called 'beta'"),
        (lambda: gt.explosion_set("tanh", 2, c=1), "'c'; here it is called 'threshold'"),
        (lambda: gt.explosion_set("tanh", wieght=2), "'wieght'; the nearest is 'w'"),
        (lambda: gt.explosion_set("tanh", 2, banana=1), "'banana'"),
        (lambda: gt.derive("gradient", deph=3), "'deph'; the nearest is 'depth'"),
        (lambda: gt.meanfield.depth_scales("tanh", 1.5, sigma_B=0.1), "'sigma_B'; the nearest is 'sigma_b'"),
    ],
)
def test_a_keyword_of_other_libraries_is_answered_with_the_name_it_has_here(call, said):
    with pytest.raises(TypeError, match=said):
        call()


@pytest.mark.slow
def test_a_certificate_is_written_for_a_level_next_to_1():
    near = sympy.Rational(10**900 - 1, 10**900)
    assert gt.checker.check(gt.certificate("gelu", sympy.Rational(10**900, 10**900 - 1))).ok
    with pytest.raises(gt.errors.GradTheoryError) as caught:
        gt.certificate("tanh", 1, threshold=near, method="certified")
    assert len(str(caught.value)) < 400


def test_ends_beyond_float64_are_printed():
    ends = gt.explosion_set("softsign", "1e700", method="certified")
    assert "Root(1.00000000000…e+350)" in str(ends)
