"""Values under several names, and modules that do not run what their class says: read rightly, or refused."""

import random
import types

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.errors import InvalidArgument

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
reference = pytest.importorskip("onnx.reference", reason="`make test-peers` installs it and runs this")
onnx = pytest.importorskip("onnx", reason="`make test-peers` installs it and runs this")
nn, F = torch.nn, torch.nn.functional


class Taken(nn.Module):
    """Two layers, between which a value has a second name that is written over."""

    def __init__(self, second, over):
        super().__init__()
        torch.manual_seed(0)
        self.l1, self.l2, self.same = nn.Linear(4, 4), nn.Linear(4, 3), nn.Identity()
        self.second, self.over = second, over
        self.drop, self.relu = nn.Dropout(0.1), nn.ReLU(inplace=True)

    def forward(self, x):
        h = self.l1(x)
        return self.l2(h) + self.l2(self.over(self, self.second(self, h)))


class Dropped(Taken):
    """The same, where only the first name is taken afterwards."""

    def forward(self, x):
        h = self.l1(x)
        self.over(self, self.second(self, h))
        return self.l2(h)


SECOND = {
    "identity": lambda m, h: m.same(h),
    "dropout": lambda m, h: m.drop(h),
    "contiguous": lambda m, h: h.contiguous(),
    "double": lambda m, h: h.double(),
    "flatten": lambda m, h: h.flatten(1),
    "three": lambda m, h: m.same(m.drop(h).contiguous()),
}
OVER = {
    "module": lambda m, g: m.relu(g),
    "method": lambda m, g: g.relu_(),
    "function": lambda m, g: F.relu(g, inplace=True),
    "mul_": lambda m, g: g.mul_(3.0),
}


@pytest.mark.parametrize("kind", [Taken, Dropped])
@pytest.mark.parametrize("over", OVER)
@pytest.mark.parametrize("second", SECOND)
def test_what_is_written_over_under_a_second_name_is_refused(kind, second, over):
    module = kind(SECOND[second], OVER[over]).double().eval()
    with pytest.raises(InvalidArgument, match="in place of what others take"):
        gt.Network.from_torch(module)


def test_a_copy_is_written_over_alone():
    module = Taken(lambda m, h: h.clone(), OVER["method"]).double().eval()
    x = torch.randn(5, 4, dtype=torch.float64)
    np.testing.assert_allclose(gt.Network.from_torch(module).forward(x.numpy()), module(x).detach(), rtol=1e-12)


def test_weights_that_a_forward_writes_over_are_refused():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("scale", torch.ones(4))
            self.layer = nn.Linear(4, 4)

        def forward(self, x):
            self.scale.mul_(2.0)
            return self.layer(x) * self.scale

    with pytest.raises(InvalidArgument, match="its own tensors"):
        gt.Network.from_torch(Scaled())


def _replaced(which, forward):
    module = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    part = module if which is None else module[which]
    part.forward = forward(part)
    return module


def _thrice(part):
    before = part.forward
    return lambda x: 3 * before(x)


@pytest.mark.parametrize("which", [None, 0, 1, 2])
@pytest.mark.parametrize(
    "forward",
    [_thrice, lambda part: torch.relu, lambda part: types.MethodType(nn.ReLU.forward, nn.ReLU())],
    ids=("lambda", "function", "method"),
)
def test_a_forward_put_in_place_of_the_classs_is_not_ignored(which, forward):
    with pytest.raises(InvalidArgument, match=r"forward of its own|holds what is not understood"):
        gt.Network.from_torch(_replaced(which, forward))


def test_a_forward_put_into_the_class_is_not_ignored(monkeypatch):
    monkeypatch.setattr(nn.Tanh, "forward", lambda self, x: torch.relu(x))
    with pytest.raises(InvalidArgument, match="Tanh"):
        gt.Network.from_torch(nn.Sequential(nn.Linear(4, 4), nn.Tanh()))


def test_layers_that_round_their_weights_are_refused():
    from torch.ao.nn.qat import Linear
    from torch.ao.quantization import get_default_qat_qconfig

    with pytest.raises(InvalidArgument, match="Linear"):
        gt.Network.from_torch(nn.Sequential(Linear(4, 4, qconfig=get_default_qat_qconfig()), nn.Tanh()))


@pytest.mark.parametrize(
    "call",
    [
        lambda m, x: F.linear(x, bias=m.bias, weight=m.weight),
        lambda m, x: F.linear(input=x, weight=m.weight, bias=m.bias),
        lambda m, x: F.linear(x, m.weight, bias=m.bias),
        lambda m, x: F.linear(x, m.weight),
    ],
    ids=("keywords", "all keywords", "bias", "without"),
)
def test_linear_by_keywords(call):
    class Module(nn.Linear):
        def forward(self, x):
            return call(self, x)

    module, x = Module(4, 3).double(), torch.randn(5, 4, dtype=torch.float64)
    np.testing.assert_allclose(gt.Network.from_torch(module).forward(x.numpy()), module(x).detach(), rtol=1e-12)


def test_a_bias_that_is_computed_is_refused():
    class Module(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Linear(4, 3), nn.Linear(4, 3)

        def forward(self, x):
            return F.linear(x, self.one.weight, bias=self.two(x))

    with pytest.raises(InvalidArgument, match="linear"):
        gt.Network.from_torch(Module())


def _file(tmp_path, steps, output="s"):
    """Return a file that computes steps of (operator, inputs, output), with a square matrix W and rows B and G."""
    rng = np.random.default_rng(0)
    arrays = {"W": rng.normal(size=(3, 3)), "B": rng.normal(size=3), "G": rng.normal(size=3)}
    value = lambda name: onnx.helper.make_tensor_value_info(name, onnx.TensorProto.DOUBLE, ["n", 3])  # noqa: E731 - short
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node(kind, inputs, [name], **options) for kind, inputs, name, options in steps],
        "g",
        [value("x")],
        [value(output)],
        [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)])
    path = tmp_path / "model.onnx"
    onnx.save(model, path)
    return model, path


ALIASES = {"Identity": {}, "Dropout": {}, "Flatten": {"axis": 1}, "Cast": {"to": 11}}


@pytest.mark.parametrize("alias", ALIASES)
@pytest.mark.parametrize("which", ["taken twice", "the output", "alone", "two names"])
def test_a_bias_joins_a_layer_that_it_alone_takes(tmp_path, alias, which):
    product = ("MatMul", ["x", "W"], "a", {})
    named = (alias, ["a"], "i", ALIASES[alias])
    steps, output = {
        "taken twice": ([product, named, ("Add", ["i", "B"], "z", {}), ("Add", ["z", "a"], "s", {})], "s"),
        "the output": ([product, named, ("Add", ["i", "B"], "z", {})], "a"),
        "alone": ([product, named, ("Add", ["i", "B"], "s", {})], "s"),
        "two names": (
            [product, named, ("Identity", ["i"], "j", {}), ("Add", ["j", "B"], "z", {}), ("Mul", ["z", "i"], "s", {})],
            "s",
        ),
    }[which]
    model, path = _file(tmp_path, steps, output)
    x = np.random.default_rng(1).normal(size=(5, 3))
    (true,) = reference.ReferenceEvaluator(model).run(None, {"x": x})
    try:
        network = gt.Network.from_onnx(path)
    except InvalidArgument:
        assert which != "alone"
    else:
        np.testing.assert_allclose(network.forward(x), true, rtol=1e-12)


def test_complex_weights_are_refused():
    with pytest.raises(InvalidArgument):
        gt.Network.from_weights({"a.weight": torch.tensor([[1 + 5j, 2.0]])}, "identity")


def test_a_norm_without_epsilon_among_several_types_is_refused():
    module = nn.Sequential(nn.Linear(6, 6, bias=False), nn.RMSNorm(6), nn.Linear(6, 4))
    assert gt.Network.from_torch(module).nodes[1].operation.epsilon == np.finfo(np.float32).eps
    assert gt.Network.from_torch(module.double()).nodes[1].operation.epsilon == np.finfo(np.float64).eps
    module[0].float()
    with pytest.raises(InvalidArgument, match="RMSNorm at '1'"):
        gt.Network.from_torch(module)


def test_tensors_that_are_no_buffers_are_left_as_they_were():
    def forward(m, x):
        m.kept.mul_(2.0)
        return m.l2(m.l1(x) * m.kept)

    module = Written(forward)
    module.kept = torch.ones(4)
    with pytest.raises(InvalidArgument, match="its own tensors"):
        gt.Network.from_torch(module)
    assert module.kept.tolist() == [1.0] * 4


class Written(nn.Module):
    def __init__(self, forward):
        super().__init__()
        torch.manual_seed(0)
        self.l1, self.l2, self.p = nn.Linear(4, 4), nn.Linear(4, 3), nn.Parameter(torch.randn(4))
        self.drop, self.run = nn.Dropout(0.1), forward

    def forward(self, x):
        return self.run(self, x)


def _two(change, first=None):
    def forward(m, x):
        h = m.l1(x)
        g = h if first is None else first(m, h)
        return m.l2(h) + m.l2(change(m, x, h, g))

    return forward


def _add(m, x, h, g):
    g += torch.tanh(x)
    return g


def _subtract(m, x, h, g):
    g -= x
    return g


def _multiply(m, x, h, g):
    g *= m.p
    return g


def _divide(m, x, h, g):
    g /= 3
    return g


@pytest.mark.parametrize("first", [None, lambda m, h: h.contiguous(), lambda m, h: m.drop(h)])
@pytest.mark.parametrize("change", [_add, _subtract, _multiply, _divide])
def test_augmented_assignment_writes_over_what_others_take(change, first):
    with pytest.raises(InvalidArgument, match="in place of what others take"):
        gt.Network.from_torch(Written(_two(change, first)).double().eval())


@pytest.mark.parametrize("change", [_add, _subtract, _multiply, _divide])
def test_augmented_assignment_of_what_nobody_else_takes_is_read(change):
    module = Written(lambda m, x: m.l2(change(m, x, None, m.l1(x)))).double().eval()
    x = torch.randn(5, 4, dtype=torch.float64)
    np.testing.assert_allclose(gt.Network.from_torch(module).forward(x.numpy()), module(x).detach(), rtol=1e-12)


@pytest.mark.parametrize(
    "forward",
    [
        lambda m, x: m.l2(m.l1(x) * (1 + 0.5 * torch.randn(4))),
        lambda m, x: m.l2(m.l1(x) * (1 + 0.5 * np.random.rand())),  # noqa: NPY002 - what modules do
        lambda m, x: m.l2(m.l1(x) * (1 + 0.5 * random.random())),
        lambda m, x: m.l2(F.dropout(m.l1(x))),
        lambda m, x: m.l2(F.dropout(m.l1(x), 0.5, True)),
        lambda m, x: m.l2(F.alpha_dropout(m.l1(x), training=True)),
        lambda m, x: m.l2(F.rrelu(m.l1(x), training=True)),
    ],
)
def test_what_draws_random_numbers_is_refused(forward):
    with pytest.raises(InvalidArgument, match=r"random numbers|holds what is not understood"):
        gt.Network.from_torch(Written(forward).eval())


@pytest.mark.parametrize(
    "forward",
    [
        lambda m, x: m.l2(F.dropout(m.l1(x), 0.5, m.training)),
        lambda m, x: m.l2(m.drop(F.alpha_dropout(m.l1(x)))),
        lambda m, x: m.l2(F.rrelu(m.l1(x))),
    ],
)
def test_what_draws_them_in_training_alone_is_read(forward):
    module, x = Written(forward).double().eval(), torch.randn(5, 4, dtype=torch.float64)
    np.testing.assert_allclose(gt.Network.from_torch(module).forward(x.numpy()), module(x).detach(), rtol=1e-12)
