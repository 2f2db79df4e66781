"""The largest singular values of the parts of measured modules, against the whole Jacobian of each part."""

import math

import pytest

import gradtheory as gt
from gradtheory.audits.modules import jacobians

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn


class Rows(nn.Module):
    """Parts in a row, each with what is done between them."""

    def __init__(self, *parts, between=lambda x: x):
        super().__init__()
        self.parts, self.between = nn.ModuleList(parts), between

    def forward(self, x):
        for part in self.parts:
            given = part(self.between(x))
            x = given[0] if isinstance(given, tuple) else given
        return x


def convolutions():
    return Rows(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(inplace=True), nn.Conv2d(3, 2, 3)), (2, 2, 6, 6)


def transformer(norm_first):
    layer = nn.TransformerEncoderLayer(8, 2, 12, 0.0, batch_first=True, norm_first=norm_first)
    return Rows(nn.Linear(5, 8), nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), nn.Linear(8, 3)), (
        2,
        4,
        5,
    )


def attention():
    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(6, 18)

        def forward(self, x):
            q, k, v = self.inner(x).view(2, 5, 3, 2, 3).permute(2, 0, 3, 1, 4)
            return nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(2, 5, 6)

    return Rows(nn.Linear(6, 6), Attention(), Attention()), (2, 5, 6)


def recurrent(kind):
    return Rows(nn.Linear(3, 4), kind(4, 5, batch_first=True), nn.Linear(5, 2)), (2, 6, 3)


MODULES = {
    "convolutions": convolutions,
    "pre-norm": lambda: transformer(True),
    "post-norm": lambda: transformer(False),
    "attention": attention,
    "RNN": lambda: recurrent(nn.RNN),
    "GRU": lambda: recurrent(nn.GRU),
    "LSTM": lambda: recurrent(nn.LSTM),
    "operations between": lambda: (
        Rows(nn.Conv1d(2, 3, 3), nn.Conv1d(3, 2, 2), between=lambda x: x * x.abs()),
        (3, 2, 7),
    ),
}


def jacobians_of(module, x):
    """Return the Jacobian of what each part gives by what the part before gave, one after another."""
    outputs, found = [], []
    for part in module.parts:
        for inner in part.layers if hasattr(part, "layers") else [part]:

            def of_part(x, inner=inner):
                given = inner(module.between(x).clone())
                return given[0] if isinstance(given, tuple) else given

            if outputs:
                jacobian = torch.autograd.functional.jacobian(of_part, outputs[-1])
                found.append(jacobian.reshape(-1, outputs[-1].numel()))
            outputs.append(of_part(outputs[-1] if outputs else x).detach().clone())
    return found


@pytest.mark.parametrize("which", MODULES)
def test_the_largest_singular_value_is_that_of_the_parts_jacobian(which):
    torch.manual_seed(3)
    module, shape = MODULES[which]()
    module, x = module.double(), torch.randn(shape, dtype=torch.float64)
    report = gt.audit(module, x)
    expected = [float(torch.linalg.matrix_norm(each, 2)) for each in jacobians_of(module, x)]
    assert all(layer.is_measured_only for layer in report.layers)
    assert len(report.layers) == len(expected) + 1
    for layer, value in zip(report.layers[1:], expected, strict=True):
        assert 0.95 * value <= layer.largest_singular_value <= value * (1 + 1e-9)
        assert layer.singular_value_error <= 0.1 * value
        assert layer.gain <= layer.largest_singular_value * (1 + layer.singular_value_error)
    assert "  s_max  " in str(report)


class Square(torch.autograd.Function):
    """x², whose gradient is told by numbers that autograd does not see."""

    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(context, gradient):
        (x,) = context.saved_tensors
        return gradient * x + (gradient * x).detach()


def test_products_that_do_not_agree_give_no_singular_value():
    torch.manual_seed(0)
    module = Rows(nn.Conv1d(2, 3, 3), nn.Conv1d(3, 2, 2), between=Square.apply)
    (layer,) = gt.audit(module, torch.randn(3, 2, 7)).layers[1:]
    assert layer.gain > 0
    assert math.isnan(layer.largest_singular_value)


def test_of_large_modules_no_singular_values_are_looked_for(monkeypatch):
    module, shape = convolutions()
    x = torch.randn(shape)
    assert "  s_max  " in str(gt.audit(module, x))
    monkeypatch.setattr(jacobians, "_MOST_ENTRIES", 10)
    assert "  s_max  " not in str(gt.audit(module, x))


@pytest.mark.parametrize("which", ["pre-norm", "attention"])
def test_large_attention_stays_as_it_is(which, monkeypatch):
    torch.manual_seed(3)
    module, shape = MODULES[which]()
    x = torch.randn(shape)
    monkeypatch.setattr(jacobians, "_MOST_LOGITS", 10)
    layers = gt.audit(module, x).layers[1:]
    assert all(layer.gain > 0 for layer in layers)
    assert any(math.isnan(layer.largest_singular_value) for layer in layers)
