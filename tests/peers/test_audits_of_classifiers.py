"""Fitted classifiers are healthy, whether the network or the loss ends with the sigmoid or the softmax."""

import pytest

import gradtheory as gt

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn, functional = torch.nn, torch.nn.functional


def _fitted(last, width, loss, steps=60):
    torch.manual_seed(0)
    x = torch.randn(200, 4)
    x[:, 0] += 2 * torch.sign(x[:, 0])
    y = (x[:, :1] > 0).float() if width == 1 else (x[:, 0] > 0).long()
    module = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, width), *last)
    optimiser = torch.optim.Adam(module.parameters(), 1e-2)
    for _ in range(steps):
        value = loss(module(x), y)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
    return module, x, y


@pytest.mark.parametrize(
    ("last", "width", "loss"),
    [
        ([nn.Sigmoid()], 1, nn.BCELoss()),
        ([nn.Sigmoid()], 1, lambda given, y: 3.0 * functional.binary_cross_entropy(given, y)),
        ([nn.Sigmoid(), nn.Flatten()], 1, nn.BCELoss()),
        ([nn.LogSoftmax(dim=1)], 3, functional.nll_loss),
        ([], 3, functional.cross_entropy),
    ],
)
def test_a_fitted_classifier_keeps_gradients_in_range(last, width, loss):
    """The slope of the last module is small, and the derivative of the loss by what it gives as large."""
    module, x, y = _fitted(last, width, loss)
    report = gt.audit(module, x, y, loss=loss)
    assert report.loss < 0.01
    assert report.verdict == "stable", str(report)
    sizes = [layer.gradient_norm for layer in report.layers if layer.gradient_norm > 0.0]
    assert max(sizes) < 10 * min(sizes)


def test_a_slope_that_the_loss_meets_counts():
    module, x, y = _fitted([nn.Sigmoid()], 1, nn.BCELoss())
    report = gt.audit(module, x, 1.0 - y, loss=lambda given, y: ((given - y) ** 2).mean())
    assert (report.verdict, report.start) == ("vanishes", "4")


def test_a_gradient_of_0_tells_nothing_of_a_module_either():
    module, x, _ = _fitted([], 3, functional.cross_entropy, steps=0)
    report = gt.audit(module, x, module(x).detach(), loss=functional.mse_loss)
    assert str(report).startswith("The gradient of the loss is 0, and nothing is known")


def test_a_slope_that_the_loss_meets_through_another_counts():
    """What takes the cross entropy of a second sigmoid meets the slopes of the first."""
    module, x, y = _fitted([nn.Sigmoid()], 1, nn.BCELoss())
    with torch.no_grad():
        module[4].weight *= 10.0
    twice = gt.audit(module, x, y, loss=lambda given, y: functional.binary_cross_entropy(torch.sigmoid(given), y))
    logits = gt.audit(module, x, y, loss=functional.binary_cross_entropy_with_logits)
    assert (twice.verdict, twice.start, twice.cause) == (logits.verdict, logits.start, logits.cause)
