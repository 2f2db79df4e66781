"""GradScaler's rule beside PyTorch's own."""

import numpy as np
import pytest

import gradtheory as gt

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")


@pytest.mark.parametrize(
    ("least", "greatest", "settings"),
    [
        (4, 12, {"growth_factor": 2.0, "backoff_factor": 0.5, "growth_interval": 3}),
        (4, 12, {"growth_factor": 1.1, "backoff_factor": 0.7, "growth_interval": 1}),
        (127, 200, {"growth_factor": 1e12, "backoff_factor": 0.5, "growth_interval": 1}),
        (-200, -100, {"growth_factor": 2.0, "backoff_factor": 0.5, "growth_interval": 3}),
    ],
)
def test_the_rule_is_that_of_torch(least, greatest, settings):
    rng = np.random.default_rng(0)
    most = 2.0 ** rng.uniform(least, greatest, 400)
    parameter = torch.nn.Parameter(torch.ones(1))
    optimiser = torch.optim.SGD([parameter], lr=0.0)
    scaler, scales = torch.amp.GradScaler("cpu", init_scale=2.0**10, **settings), []
    for limit in most:
        scales.append(scaler.get_scale())
        parameter.grad = torch.full((1,), float("inf") if scales[-1] >= limit else 1.0)
        scaler.scale(torch.zeros(1))  # makes its scale, as a loss does
        scaler.step(optimiser)
        scaler.update()
    ours = gt.precision.grad_scaler(most, initial=2.0**10, **settings)
    assert ours.scales.tolist() == scales
