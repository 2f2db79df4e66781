"""An adversary of the checker: forgeries are refused, and a mutant that is accepted claims what is true."""

import pytest

from gradtheory.checker import check
from tests.checker.adversary import VALID, trial
from tests.checker.chain_forgeries import CHAIN_FORGERIES, OF_NO_CLASS
from tests.checker.claims import false_in
from tests.checker.forgeries import FORGERIES
from tests.shapes import slow_except

_DEAR = ("far out, 0", "hides a change of sign")
_QUICK = tuple(
    key
    for key in FORGERIES
    if key.startswith(("relu,", "tanh, strict,", "a ", "an ", "factors")) and not key.endswith(_DEAR)
)


@pytest.mark.parametrize("key", slow_except(_QUICK, FORGERIES))
def test_forgeries_are_not_verified(key):
    report = check(FORGERIES[key])
    assert not report.ok
    assert report.verdict == "not verified"


@pytest.mark.parametrize("key", slow_except(set(CHAIN_FORGERIES) - {"a second bump far out"}, CHAIN_FORGERIES))
def test_forgeries_of_chains_are_not_verified(key):
    report = check(CHAIN_FORGERIES[key])
    assert not report.ok
    assert report.verdict == "not verified"
    assert report.reason.startswith("rejected: activations[0]" if key in OF_NO_CLASS else ("rejected: ", "undecided: "))


@pytest.mark.parametrize("key", VALID)
def test_true_certificates_hold_at_points(key):
    assert false_in(VALID[key]) is None


_CHAINS = tuple(key for key in VALID if key.startswith("chain: "))
_SHORT = ("relu", "hard sigmoid", "leaky", "absolute value", "tanh, strict", "cube", "weight 0")  # soon checked


@pytest.mark.parametrize(
    ("count", "seed", "keys"),
    [
        *((50, seed, _SHORT) for seed in range(5)),
        *((40, seed, _CHAINS) for seed in range(3)),
        pytest.param(1_000, 3, _CHAINS, marks=pytest.mark.slow),
        pytest.param(2_000, 5, tuple(VALID), marks=pytest.mark.slow),
    ],
)
def test_an_accepted_mutant_is_true(count, seed, keys):
    made, accepted, false = trial(count, seed, keys)
    assert not false
    assert made.total() > 0.9 * count
    assert accepted.total() < 0.3 * count
