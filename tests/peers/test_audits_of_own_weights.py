"""Weights that a module multiplies by itself, outside of its parts: a report says that they are not told apart."""

import pytest

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")

import gradtheory as gt  # noqa: E402  # after the skip


class _ByHand(torch.nn.Module):
    def __init__(self, scale, *, in_a_list, is_first):
        super().__init__()
        torch.manual_seed(0)
        weights = [torch.nn.Parameter(torch.randn(32, 32) * scale * (2 / 32) ** 0.5) for _ in range(6)]
        if in_a_list:
            self.weights = torch.nn.ParameterList(weights)
        for number, weight in enumerate(() if in_a_list else weights):
            self.register_parameter(f"w{number}", weight)
        self.first = None if is_first else torch.nn.Linear(32, 32)
        self.last, self.names = torch.nn.Linear(32, 4), [f"w{number}" for number in range(6)]

    def forward(self, x):
        x = x if self.first is None else self.first(x)
        for weight in self.weights if hasattr(self, "weights") else map(self.__getattr__, self.names):
            x = torch.relu(x @ weight)
        return self.last(x)


@pytest.mark.parametrize("in_a_list", [False, True])
@pytest.mark.parametrize("is_first", [False, True])
@pytest.mark.parametrize("scale", [0.25, 1.0, 4.0])
def test_weights_of_the_module_itself_are_named(in_a_list, is_first, scale):
    module = _ByHand(scale, in_a_list=in_a_list, is_first=is_first)
    x, y = torch.randn(64, 32), torch.randint(0, 4, (64,))
    report = gt.audit(module, x, y, loss=torch.nn.functional.cross_entropy)
    names = "weights.0, weights.1, weights.2, …" if in_a_list else "w0, w1, w2, …"
    told = f"what happens within the weights {names} is not seen"
    assert (told if report.verdict == "stable" else f"what {names} do counts to the part after them") in str(report)
    if not is_first and scale != 1.0:
        assert report.verdict == ("explodes" if scale > 1 else "vanishes")


def test_an_embedding_of_places_is_no_such_weight():
    module = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
    module.register_parameter("places", torch.nn.Parameter(torch.zeros(5, 8)))
    assert "not seen" not in str(gt.audit(module, torch.randn(16, 8), torch.randn(16, 2)))
