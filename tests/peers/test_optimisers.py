"""Optimisers and clipping step by step against PyTorch, in float64."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradtheory.training import remedies
from gradtheory.training.optimisers import adam, adamw, gradient_descent, heavy_ball, nesterov, rmsprop

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")

_STEPS = 100
_PAIRS = {
    "gradient_descent": lambda p, eta, beta, beta2, decay: (
        gradient_descent(eta, weight_decay=decay),
        torch.optim.SGD(p, lr=eta, weight_decay=decay),
    ),
    "heavy_ball": lambda p, eta, beta, beta2, decay: (
        heavy_ball(eta, beta, weight_decay=decay),
        torch.optim.SGD(p, lr=eta, momentum=beta, weight_decay=decay),
    ),
    "nesterov": lambda p, eta, beta, beta2, decay: (
        nesterov(eta, beta, weight_decay=decay),
        torch.optim.SGD(p, lr=eta, momentum=beta, nesterov=True, weight_decay=decay),
    ),
    "rmsprop": lambda p, eta, beta, beta2, decay: (
        rmsprop(eta, beta2, weight_decay=decay),
        torch.optim.RMSprop(p, lr=eta, alpha=beta2, weight_decay=decay),
    ),
    "adam": lambda p, eta, beta, beta2, decay: (
        adam(eta, beta, beta2, weight_decay=decay),
        torch.optim.Adam(p, lr=eta, betas=(beta, beta2), weight_decay=decay),
    ),
    "adamw": lambda p, eta, beta, beta2, decay: (
        adamw(eta, beta, beta2, weight_decay=decay),
        torch.optim.AdamW(p, lr=eta, betas=(beta, beta2), weight_decay=decay),
    ),
    "heavy_ball, dampened": lambda p, eta, beta, beta2, decay: (
        heavy_ball(eta, beta, weight_decay=decay, dampening=1 - beta2),
        torch.optim.SGD(p, lr=eta, momentum=beta, dampening=1 - beta2, weight_decay=decay),
    ),
    "rmsprop, centred": lambda p, eta, beta, beta2, decay: (
        rmsprop(eta, beta2, weight_decay=decay, centred=True),
        torch.optim.RMSprop(p, lr=eta, alpha=beta2, weight_decay=decay, centered=True),
    ),
    "adam, amsgrad": lambda p, eta, beta, beta2, decay: (
        adam(eta, beta, beta2, weight_decay=decay, amsgrad=True),
        torch.optim.Adam(p, lr=eta, betas=(beta, beta2), weight_decay=decay, amsgrad=True),
    ),
    "adamw, amsgrad": lambda p, eta, beta, beta2, decay: (
        adamw(eta, beta, beta2, weight_decay=decay, amsgrad=True),
        torch.optim.AdamW(p, lr=eta, betas=(beta, beta2), weight_decay=decay, amsgrad=True),
    ),
    "adamw, fully decoupled": lambda p, eta, beta, beta2, decay: (
        adamw(eta, beta, beta2, weight_decay=decay, fully_decoupled=True),
        torch.optim.AdamW(p, lr=eta, betas=(beta, beta2), weight_decay=decay / eta),
    ),
}


@pytest.mark.parametrize("which", _PAIRS)
@given(
    eta=st.floats(1e-4, 0.3),
    beta=st.floats(0.01, 0.99),
    beta2=st.floats(0.5, 0.999),
    decay=st.sampled_from([0.0, 0.01, 0.5]),
    seed=st.integers(0, 2**31),
)
def test_a_hundred_steps_are_pytorchs(which, eta, beta, beta2, decay, seed):
    rng = np.random.default_rng(seed)
    start = rng.standard_normal((2, 3))
    theirs = torch.nn.Parameter(torch.tensor(start))
    ours, optimiser = _PAIRS[which]([theirs], eta, beta, beta2, decay)
    state = ours.start([start])
    for step in range(_STEPS):
        gradient = rng.standard_normal((2, 3)) * 10.0 ** rng.integers(-3, 3)
        theirs.grad = torch.tensor(gradient)
        rate = eta if step % 3 else eta / 2.0  # a schedule
        optimiser.param_groups[0]["lr"] = rate
        optimiser.step()
        state = ours.step(state, [gradient], rate)
        parameters, wanted = state.parameters[0], theirs.detach().numpy()
        np.testing.assert_allclose(parameters, wanted, rtol=1e-12, atol=1e-12 * np.abs(wanted).max())


def gradients(rng, shapes):
    return [rng.standard_normal(shape) * 10.0 ** rng.integers(-3, 3) for shape in shapes]


@given(seed=st.integers(0, 2**31), max_norm=st.floats(0.0, 50.0))
def test_clipping_by_global_norm_is_pytorchs(seed, max_norm):
    ours = gradients(np.random.default_rng(seed), [(3,), (2, 2), ()])
    theirs = [torch.nn.Parameter(torch.zeros(each.shape, dtype=torch.float64)) for each in map(np.asarray, ours)]
    for parameter, gradient in zip(theirs, ours, strict=True):
        parameter.grad = torch.tensor(gradient, dtype=torch.float64)
    norm = torch.nn.utils.clip_grad_norm_(theirs, max_norm)
    clipped = remedies.clip_by_global_norm(ours, max_norm)
    assert clipped.norm == pytest.approx(float(norm), rel=1e-14)
    for parameter, gradient in zip(theirs, clipped.gradients, strict=True):
        np.testing.assert_allclose(gradient, parameter.grad.numpy(), rtol=1e-13)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_clipped_as_in_pytorch(bad):
    ours = [np.array([1.0, bad]), np.array([2.0])]
    theirs = [torch.nn.Parameter(torch.zeros(each.shape, dtype=torch.float64)) for each in ours]
    for parameter, gradient in zip(theirs, ours, strict=True):
        parameter.grad = torch.tensor(gradient)
    torch.nn.utils.clip_grad_norm_(theirs, 1.0)
    for parameter, gradient in zip(theirs, remedies.clip_by_global_norm(ours, 1.0).gradients, strict=True):
        np.testing.assert_array_equal(gradient, parameter.grad.numpy())
    theirs[0].grad = torch.tensor(ours[0])
    torch.nn.utils.clip_grad_value_(theirs[:1], 0.5)
    np.testing.assert_array_equal(remedies.clip_by_value(ours[0], 0.5), theirs[0].grad.numpy())
