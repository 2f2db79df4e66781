"""The gains of torch.nn.init, as the audit states them."""

import pytest

from gradtheory.pages.gains import TORCH, entries

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")

_THEIR_NAMES = {"identity": "linear"}


def test_the_stated_gains_are_theirs():
    for name, gain in TORCH.items():
        theirs = torch.nn.init.calculate_gain(_THEIR_NAMES.get(name, name))
        assert float(gain) == pytest.approx(theirs, rel=1e-15)


def test_the_rest_have_none():
    for name in {audit.record.name for audit in entries()} - set(TORCH):
        with pytest.raises(ValueError, match="Unsupported nonlinearity"):
            torch.nn.init.calculate_gain(name)


def test_without_a_number_theirs_is_that_of_relu():
    torch.manual_seed(0)
    weights = torch.nn.init.kaiming_normal_(torch.empty(400, 400), nonlinearity="relu")
    torch.manual_seed(0)
    assert torch.equal(torch.nn.init.kaiming_normal_(torch.empty(400, 400), a=0), weights)
