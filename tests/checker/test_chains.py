"""Certificates of chains: what is written is verified, for every activation of class N, and true by mpmath at points."""

import json
import random
from fractions import Fraction

import pytest
import sympy

import gradtheory as gt
from gradtheory import checker
from gradtheory.errors import InvalidArgument
from tests.checker.adversary import VALID
from tests.checker.chain_certificates import VALID_CHAINS
from tests.checker.claims import false_in
from tests.shapes import BOUNDED_IN_CLASS_N, UNBOUNDED_IN_CLASS_N

CLASS_N = tuple(sorted(BOUNDED_IN_CLASS_N + UNBOUNDED_IN_CLASS_N))
_BOUNDED_OR_SLOW = tuple(name for name in CLASS_N if name != "exponential")  # e^e^e^… soon leaves every range
_VERIFIED = checker.Report(True, "verified on the whole line")


def proof(activation, w, b, **options):
    chain = gt.Chain(depth=len(w), activation=activation)
    return json.loads(json.dumps(gt.certificate(chain, w=w, b=b, **options)))


def parameters(seed, depth):
    source = random.Random(seed)
    return [[str(source.choice((-1, 1)) * source.randint(1, 60)) + "/10" for _ in range(depth)] for _ in "wb"]


@pytest.mark.parametrize("key", VALID_CHAINS)
def test_certificates_by_hand_are_verified(key):
    assert checker.check(VALID_CHAINS[key]) == _VERIFIED
    assert f"chain: {key}" in VALID


@pytest.mark.sampled(2)
@pytest.mark.parametrize("depth", [2, 5])
@pytest.mark.parametrize("activation", _BOUNDED_OR_SLOW)
def test_certificates_of_class_n_are_verified_and_true(activation, depth):
    for threshold, strict in (("1", True), ("1/10", False), ("1/1000", True)):
        data = proof(
            activation,
            *parameters(f"{activation} {depth} {threshold}", depth),
            threshold=threshold,
            strict=strict,
        )
        assert checker.check(data) == _VERIFIED
        assert false_in(data) is None


@pytest.mark.sampled(3)
@pytest.mark.parametrize("seed", range(20))
def test_layers_of_several_kinds(seed):
    source = random.Random(seed)
    depth = source.randint(2, 5)
    activations = [source.choice(_BOUNDED_OR_SLOW) for _ in range(depth)]
    data = proof(activations, *parameters(seed, depth), threshold="1/100")
    assert checker.check(data) == _VERIFIED
    assert false_in(data) is None


@pytest.mark.parametrize(
    ("text", "w", "b"),
    [
        ("1/(1 + exp(-3*z/2))", ["9", "9"], ["-4", "-5"]),
        ("Piecewise((0, z < 0), (z**2, z < 1), (2*z - 1, True))", ["1", "2", "3"], ["0", "-1", "0"]),
        ("exp(-z)", ["1/2", "-1/3"], ["0", "0"]),
        ("1 - 2*sqrt(3)*exp(-z)", ["1/2", "1/3"], ["0", "0"]),
    ],
)
def test_own_expressions(text, w, b):
    data = proof(gt.expression(text), w, b)
    assert data["claim"]["activations"][0]["activation"] is None
    assert checker.check(data) == _VERIFIED
    assert false_in(data) is None


def test_irrational_weights_and_thresholds():
    data = proof("tanh", [sympy.sqrt(3), sympy.pi], [sympy.Rational(1, 7), -sympy.sqrt(2)], threshold=sympy.sqrt(2))
    assert checker.check(data) == _VERIFIED
    data["claim"]["threshold"] = "sqrt(2) + 1/100"
    assert not checker.check(data).ok


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("activation", "w", "b", "options", "argument"),
    [
        ("sigmoid", ["5", "0"], ["1", "2"], {}, "zero weight"),
        ("sigmoid", ["3", "3"], ["-3/2", "-3/2"], {}, "tangents"),
        ("arctan", ["1/2", "1"], ["0", "0"], {}, "tangents"),
        ("softplus", ["1", "1"], ["0", "0"], {}, "steepest"),
        ("relu", ["1", "-1"], ["0", "0"], {"threshold": "1/2"}, "between"),
        ("hard_tanh", ["9", "9"], ["0", "-11"], {}, "between"),
        (["isru", "hard_tanh"], ["1", "1/2"], ["0", "8/5"], {"threshold": "1/9"}, "between"),
    ],
)
def test_empty_sets(activation, w, b, options, argument):
    data = proof(activation, w, b, **options)
    assert data["set"] is None
    assert data["empty"]["argument"] == argument
    assert checker.check(data) == _VERIFIED
    assert false_in(data) is None


@pytest.mark.parametrize(
    ("activation", "w", "b", "lower", "upper"),
    [
        ("softplus", ["2", "3"], ["0", "0"], False, True),
        ("softplus", ["-2", "3"], ["0", "0"], True, False),
        ("relu", ["2", "3"], ["-1", "0"], False, True),
        ("exponential", ["1/3", "1/2"], ["0", "1"], False, True),
        ("log_sigmoid", ["2", "3"], ["-1", "0"], True, False),
        ("identity", ["2", "3"], ["-1", "0"], True, True),
        (["relu", "identity", "elu"], ["2", "-3", "-1"], ["-1", "0", "1"], False, True),
    ],
)
def test_half_lines(activation, w, b, lower, upper):
    data = proof(activation, w, b)
    assert [data["set"]["lower"]["outer"] == "-oo", data["set"]["upper"]["outer"] == "oo"] == [lower, upper]
    assert checker.check(data) == _VERIFIED
    assert false_in(data) is None


@pytest.mark.slow
@pytest.mark.parametrize("depth", [200, 1_000])
def test_deep_chains(depth):
    """Inputs 1e-60 apart take different ways at depth 1,000; a bias that is so little off is noticed."""
    data = proof("sigmoid", ["5"] * depth, ["-5/2"] * depth)
    assert checker.check(data) == _VERIFIED
    width = Fraction(data["set"]["upper"]["outer"]) - Fraction(data["set"]["lower"]["outer"])
    data["claim"]["layers"][0]["bias"] = str(width - Fraction(5, 2))
    assert not checker.check(data).ok


@pytest.mark.slow
def test_a_deep_chain_spreads_inputs_beyond_the_range_of_floats():
    depth = 300
    w = [str(30 + k % 7) for k in range(depth)]
    data = proof("sigmoid", w, [f"-{weight}/2" for weight in w])
    assert abs(Fraction(data["set"]["lower"]["outer"]) - Fraction(data["set"]["upper"]["outer"])) < Fraction(1, 10**200)
    assert checker.check(data) == _VERIFIED
    data["set"]["lower"] = {**data["set"]["lower"], "inner": data["set"]["upper"]["outer"]}
    assert not checker.check(data).ok


def test_closed_ends_and_kinks():
    data = proof("hard_tanh", ["2", "-2"], ["0", "1/3"], strict=False)
    assert [data["set"][side]["open"] for side in ("lower", "upper")] == [True, True]
    assert checker.check(data) == _VERIFIED
    data = proof(["hard_tanh", "tanh"], ["2", "4"], ["0", "0"], strict=False)
    assert [data["set"][side]["open"] for side in ("lower", "upper")] == [False, False]
    assert checker.check(data) == _VERIFIED
    data = proof(["hard_tanh", "tanh"], ["2", "1/2"], ["0", "0"], strict=False, threshold="1/2")
    assert [data["set"][side]["open"] for side in ("lower", "upper")] == [True, True]
    assert checker.check(data) == _VERIFIED
    data = proof("relu", ["2", "1/2"], ["0", "0"], strict=False)
    assert data["set"]["upper"] == {"outer": "oo", "inner": data["set"]["lower"]["inner"], "open": True}
    assert checker.check(data) == _VERIFIED
    assert proof("relu", ["2", "1/2"], ["0", "0"])["empty"]["argument"] == "steepest"


def test_one_layer_has_the_certificate_of_its_activation():
    one = gt.certificate(gt.Chain(depth=1, activation="sigmoid"), w=[7], b=["1/2"])
    assert one == gt.certificate("sigmoid", w=7, b="1/2")


@pytest.mark.parametrize("activation", ["selu", "gelu", "sine", "leaky_relu"])
def test_other_activations_are_refused_in_one_line(activation):
    with pytest.raises(InvalidArgument, match=f"activation = '{activation}': must be in class N for ") as caught:
        gt.certificate(gt.Chain(depth=2, activation=["tanh", activation]), w=[1, 2], b=[0, 0])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("arguments", [{"w": 5}, {"w": [5]}, {"w": [5, 5], "b": [1]}, {"w": "55", "b": [1, 1]}])
def test_weights_and_biases_are_one_a_layer(arguments):
    with pytest.raises(InvalidArgument, match="one per layer"):
        gt.certificate(gt.Chain(depth=2, activation="tanh"), **arguments)


def test_hostile_certificates_end():
    """A long chain at which nothing is decided: |f'| is the threshold at the input that is said to be within."""
    many = {**VALID_CHAINS["relu"], "claim": {**VALID_CHAINS["relu"]["claim"], "threshold": "6 + 1/10**3000"}}
    assert not checker.check(many).ok
    data = proof("sigmoid", ["4"] * 40, ["-2"] * 40, threshold="1/2")
    data["claim"]["layers"] *= 500
    assert len(data["claim"]["layers"]) == 20_000
    data["claim"]["layers"].append(data["claim"]["layers"][0])
    assert "at most 20000" in checker.check(data).reason


@pytest.mark.slow
@pytest.mark.parametrize(
    ("activation", "w", "b", "threshold"),
    [
        ("softplus", [10**12, 10**12], [0, -(10**12)], 10**12),
        (["softplus", "sigmoid"], [1, 10**12], [10**12, -(10**24)], 1),
        (["log_sigmoid", "tanh"], [10**12, 1], [0, 10**12], 1),
        ("softsign", [10**12, 10**12], [0, -(10**12) // 2], "1/1000000000"),
    ],
)
def test_pre_activations_beyond_all_exponentials(activation, w, b, threshold):
    data = proof(activation, w, b, threshold=threshold)
    assert checker.check(data) == _VERIFIED
    side = data["set"]["lower"]
    side["inner"], side["outer"] = side["outer"], side["inner"]
    assert not checker.check(data).ok
