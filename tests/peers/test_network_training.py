"""Training of networks step by step against PyTorch, in float64: minibatches, optimisers, clipping and schedules."""

import numpy as np
import pytest

import gradtheory as gt
from gradtheory import optimisers, remedies
from gradtheory.networks.parameters import parameters, slots
from gradtheory.training.batches import Batches

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn

_PAIRS = {
    "gradient_descent": (lambda: optimisers.gradient_descent(0.1), lambda p: torch.optim.SGD(p, lr=0.1)),
    "dampened heavy ball": (
        lambda: optimisers.heavy_ball(0.1, 0.9, dampening=0.2, weight_decay=0.01),
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.2, weight_decay=0.01),
    ),
    "nesterov": (
        lambda: optimisers.nesterov(0.1, 0.9),
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    ),
    "centred rmsprop": (
        lambda: optimisers.rmsprop(0.01, centred=True),
        lambda p: torch.optim.RMSprop(p, lr=0.01, centered=True),
    ),
    "amsgrad": (
        lambda: optimisers.adam(0.01, amsgrad=True),
        lambda p: torch.optim.Adam(p, lr=0.01, amsgrad=True),
    ),
    "adamw": (
        lambda: optimisers.adamw(0.01, weight_decay=0.1),
        lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
    ),
    "fully decoupled adamw": (
        lambda: optimisers.adamw(0.01, weight_decay=0.001, fully_decoupled=True),
        lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
    ),
}
_CLIPS = {
    None: lambda p: None,
    "norm": lambda p: torch.nn.utils.clip_grad_norm_(p, 0.05),
    "value": lambda p: torch.nn.utils.clip_grad_value_(p, 0.05),
}


class Model(nn.Module):
    """A residual block with a norm."""

    def __init__(self):
        super().__init__()
        self.first, self.norm = nn.Linear(5, 8), nn.LayerNorm(8)
        self.inner, self.act, self.last = nn.Linear(8, 8, bias=False), nn.GELU(), nn.Linear(8, 3)

    def forward(self, x):
        h = self.first(x)
        return self.last(h + self.inner(self.act(self.norm(h))))


@pytest.mark.parametrize("clip", _CLIPS)
@pytest.mark.parametrize("which", _PAIRS)
def test_fifty_steps_of_minibatches_are_pytorchs(which, clip):
    torch.manual_seed(1)
    model = Model().double()
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(22, 5)), rng.integers(0, 3, 22)
    make, make_theirs = _PAIRS[which]
    optimiser = make()
    run = gt.train(
        gt.Network.from_torch(model, "softmax_cross_entropy"), x, y, optimiser=optimiser, steps=50, batch_size=8,
        seed=4, clip=None if clip is None else remedies.clipping(clip, 0.05),
        schedule=remedies.warm_up(optimiser.eta, 10),
    )  # fmt: skip
    theirs = make_theirs(model.parameters())
    batches = iter(Batches(22, 8, 4))
    for step in range(51):
        rows = next(batches)
        loss = nn.functional.cross_entropy(model(torch.tensor(x[rows])), torch.tensor(y[rows]))
        assert run.loss[step] == pytest.approx(float(loss.detach()), rel=1e-9), step
        theirs.zero_grad()
        loss.backward()
        norm = torch.cat([p.grad.ravel() for p in model.parameters()]).norm()
        assert run.gradient_norm[step] == pytest.approx(float(norm), rel=1e-8)
        if step == 50:
            break
        _CLIPS[clip](model.parameters())
        theirs.param_groups[0]["lr"] = optimiser.eta * min(1.0, (step + 1) / 10)
        theirs.step()
    named = dict(model.named_parameters())
    names = {"w": "weight", "b": "bias", "gain": "weight", "bias": "bias"}
    nodes = run.network.nodes
    for slot, ours in zip(slots(nodes), parameters(nodes), strict=True):
        wanted = named.pop(f"{nodes[slot.place].name}.{names[slot.name]}").detach().numpy()
        np.testing.assert_allclose(ours, wanted, rtol=1e-7, atol=1e-10)
    assert not named


def test_hessian_products_are_pytorchs():
    torch.manual_seed(3)
    model = Model().double()
    x, y = torch.randn(6, 5).double(), torch.randint(0, 3, (6,))
    network = gt.Network.from_torch(model, "softmax_cross_entropy")
    rng = np.random.default_rng(4)
    order = ["first.weight", "inner.weight", "last.weight", "first.bias", "last.bias", "norm.weight", "norm.bias"]
    named = dict(model.named_parameters())
    chosen = [named[name] for name in order]
    vectors = [torch.tensor(rng.normal(size=tuple(each.shape))) for each in chosen]
    gradients = torch.autograd.grad(nn.functional.cross_entropy(model(x), y), chosen, create_graph=True)
    along = sum((g * v).sum() for g, v in zip(gradients, vectors, strict=True))
    wanted = torch.cat([each.ravel() for each in torch.autograd.grad(along, chosen)]).numpy()
    v = torch.cat([each.ravel() for each in vectors]).numpy()
    product = gt.curvature.hessian_vector_product(network, x.numpy(), y.numpy(), v=v)
    np.testing.assert_allclose(product, wanted, rtol=1e-9, atol=1e-12)
