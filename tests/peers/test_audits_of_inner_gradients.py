"""Audits of modules whose forward takes gradients itself: residuals of equations, forces, penalties on gradients."""

import pytest

import gradtheory as gt

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn
functional = nn.functional


def _net(scale, width_in=2):
    torch.manual_seed(0)
    layers = [nn.Linear(width_in, 32), *(nn.Linear(32, 32) for _ in range(8)), nn.Linear(32, 1)]
    for k, layer in enumerate(layers):
        nn.init.xavier_normal_(layer.weight)
        layer.weight.data.mul_(scale if 0 < k < 9 else 1.0)
    return nn.Sequential(*(each for layer in layers[:-1] for each in (layer, nn.SiLU())), layers[-1])


class _Energy(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        x = x if x.requires_grad else x.requires_grad_()
        energy = self.net(x)
        (force,) = torch.autograd.grad(energy.sum(), x, create_graph=True)
        return energy, force


class _Critic(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, real, made):
        between = 0.5 * real + 0.5 * made
        between = between if between.requires_grad else between.requires_grad_()
        (slope,) = torch.autograd.grad(self.net(between).sum(), between, create_graph=True)
        return self.net(made) - self.net(real), (slope.norm(dim=1) - 1.0) ** 2


SCALES = [(0.2, "vanishes"), (1.6, "stable"), (3.0, "explodes")]


@pytest.mark.parametrize(("scale", "verdict"), SCALES)
def test_gains_are_those_of_the_network_where_its_slope_is_in_the_loss(scale, verdict):
    net, x, y = _net(scale), torch.randn(64, 2), torch.randn(64, 1)
    report = gt.audit(
        _Energy(net), x, y, loss=lambda given, y: functional.mse_loss(given[0], y) + given[1].pow(2).mean()
    )
    assert report.verdict == verdict
    gains = [layer.gain for layer in report.layers]
    assert all(gain > 0.0 for gain in gains[1:])
    alone = gt.audit(net, x, y, loss=functional.mse_loss)
    assert alone.verdict == verdict


@pytest.mark.parametrize(("scale", "verdict"), SCALES)
def test_a_call_that_only_a_penalty_on_its_slope_needs_hides_no_other(scale, verdict):
    torch.manual_seed(1)
    real, made = torch.randn(64, 2), torch.randn(64, 2)
    report = gt.audit(
        _Critic(_net(scale)), (real, made), torch.zeros(1), loss=lambda given, _: given[0].mean() + given[1].mean()
    )
    assert report.verdict == verdict
