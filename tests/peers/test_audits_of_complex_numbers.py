"""Audits and monitors of modules with complex parameters: against the same modules written in real numbers."""

import math

import pytest

import gradtheory as gt
from gradtheory.audits.modules.tensors import is_finite

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn


class Complex(nn.Module):
    """What is complex comes first, so that its type is not that of the data."""

    def __init__(self):
        super().__init__()
        self.w, self.head = nn.Parameter(torch.randn(8, 8, dtype=torch.cfloat) / 3), nn.Linear(8, 2)

    def forward(self, x):
        return self.head((x.to(self.w.dtype) @ self.w).abs())


class InPairs(nn.Module):
    def __init__(self, of):
        super().__init__()
        self.w, self.head = nn.Parameter(torch.view_as_real(of.w.detach()).clone()), of.head

    def forward(self, x):
        return self.head(torch.hypot(x @ self.w[..., 0], x @ self.w[..., 1]))


class Spectral(nn.Module):
    def __init__(self, width, modes=6):
        super().__init__()
        self.modes, size = modes, width**-0.5
        self.w = nn.Parameter(size * torch.randn(width, width, modes, dtype=torch.cfloat))

    def forward(self, x):
        waves = torch.fft.rfft(x)
        kept = torch.einsum("bim,iom->bom", waves[..., : self.modes], self.w)
        return torch.fft.irfft(nn.functional.pad(kept, (0, waves.shape[-1] - self.modes)), n=x.shape[-1])


@pytest.fixture
def data():
    torch.manual_seed(0)
    return torch.randn(16, 8), torch.randint(0, 2, (16,))


def test_complex_parameters_are_audited_as_pairs_of_real_ones(data):
    module = Complex()
    ours, theirs = gt.audit(module, *data), gt.audit(InPairs(module), *data)
    assert (ours.verdict, ours.loss) == (theirs.verdict, pytest.approx(theirs.loss, rel=1e-6))
    assert ours.layers[-1].gain == pytest.approx(theirs.layers[-1].gain, rel=1e-5)


def test_the_gradients_of_complex_parameters_are_measured():
    torch.manual_seed(1)
    module = nn.Sequential(nn.Conv1d(2, 16, 1), Spectral(16), nn.GELU(), Spectral(16), nn.Conv1d(16, 1, 1))
    x, y = torch.randn(8, 2, 32), torch.randn(8, 1, 32)
    report = gt.audit(module, x, y)
    with gt.monitor(module) as watch:
        nn.functional.mse_loss(module(x), y).backward()
    norms = {name: float(torch.view_as_real(module[name].w.grad).norm()) for name in (1, 3)}
    for name, norm in norms.items():
        assert watch.gradient_norms[str(name)] == pytest.approx([norm], rel=1e-5)
        (layer,) = (layer for layer in report.layers if layer.name == str(name))
        assert layer.gradient_norm == pytest.approx(norm, rel=1e-5)


def test_a_complex_number_of_which_a_part_is_nan_is_not_finite(data):
    module = Complex()
    with torch.no_grad():
        torch.view_as_real(module.w)[0, 0, 1] = math.nan
    report = gt.audit(module, *data)
    assert str(report).startswith("The weights of Complex are not finite. Cause: its w holds nan")
    assert not is_finite(module.w)
    assert is_finite(Complex().w.conj())


def test_several_targets_come_to_a_loss_of_yours_as_they_are_given(data):
    class Heads(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.first, self.second = nn.Linear(8, 16), nn.Linear(16, 2), nn.Linear(16, 3)

        def forward(self, x):
            h = torch.relu(self.body(x))
            return self.first(h), self.second(h)

    def loss(outputs, y):
        return nn.functional.mse_loss(outputs[0], y[0]) + nn.functional.cross_entropy(outputs[1], y[1])

    module, (x, classes), values = Heads(), data, torch.randn(16, 2)
    expected = loss(module(x), (values, classes)).item()
    for y in ((values, classes), (values.numpy(), classes.numpy())):
        assert gt.audit(module, x, y, loss=loss).loss == pytest.approx(expected, rel=1e-6)
    by_name = {"values": values, "classes": classes}
    report = gt.audit(module, x, by_name, loss=lambda outputs, y: loss(outputs, (y["values"], y["classes"])))
    assert report.loss == pytest.approx(expected, rel=1e-6)


def test_a_real_tensor_beside_a_multiple_by_i_is_added_to_it():
    class Module(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.outer = nn.Linear(4, 8), nn.Linear(8, 2)

        def forward(self, x):
            z = self.inner(x)
            return self.outer((z + 1j * z).abs())

    torch.manual_seed(0)
    assert gt.audit(Module(), torch.randn(16, 4), torch.randint(0, 2, (16,))).verdict == "stable"
