"""Audits and the monitor of what users have: wrapped, compiled, lazy and frozen modules, loaders, losses of their own.

Each gives an answer or one clear line, and the module is left as it was.
"""

# Above 300 lines: each kind of module that users have is one short test.

import copy
import io
import math
from collections import UserDict
from dataclasses import dataclass

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.audits.modules.tensors import is_finite
from gradtheory.errors import InvalidArgument

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn


def mlp(width=16, depth=3):
    torch.manual_seed(0)
    hidden = [part for _ in range(depth) for part in (nn.Linear(width, width), nn.ReLU())]
    return nn.Sequential(*hidden, nn.Linear(width, 3))


class Block(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.norm, self.attention = nn.LayerNorm(width), nn.MultiheadAttention(width, 2, batch_first=True)
        self.inner, self.outer, self.dropout = nn.Linear(width, 64), nn.Linear(64, width), nn.Dropout(0.1)

    def forward(self, x):
        y = self.norm(x)
        x = x + self.dropout(self.attention(y, y, y, need_weights=False)[0])
        return x + self.dropout(self.outer(nn.functional.gelu(self.inner(x))))


class Language(nn.Module):
    """Tokens to logits, through blocks."""

    def __init__(self, blocks=2, width=16):
        super().__init__()
        self.embed, self.head = nn.Embedding(20, width), nn.Linear(width, 20)
        self.blocks = nn.ModuleList(Block(width) for _ in range(blocks))

    def forward(self, tokens):
        x = self.embed(tokens)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def tokens():
    return torch.randint(0, 20, (3, 5))


def state(module):
    """What a module consists of, and the state of random numbers."""
    parts = [(part.training, dict(part.__dict__), len(part._forward_hooks)) for part in module.modules()]
    parameters = [(each, each.grad, each.requires_grad, each.dtype) for each in module.parameters()]
    values = [each.clone() for each in (*module.parameters(), *module.buffers())]
    return parts, parameters, values, torch.get_rng_state()


def same(before, after):
    modes = [(mode, attributes.keys(), hooks) for mode, attributes, hooks in before[0]]
    kept = [[id(value) for value in attributes.values()] for _, attributes, _ in before[0]]
    assert modes == [(mode, attributes.keys(), hooks) for mode, attributes, hooks in after[0]]
    assert kept == [[id(value) for value in attributes.values()] for _, attributes, _ in after[0]]
    assert [tuple(map(id, each)) for each in before[1]] == [tuple(map(id, each)) for each in after[1]]
    assert all(map(torch.equal, before[2], after[2]))
    assert torch.equal(before[3], after[3])


class Remembering(nn.Module):
    """Keeps what it computed, averages it in a buffer, draws numbers, and counts its calls."""

    def __init__(self):
        super().__init__()
        self.layer, self.norm, self.last, self.calls = nn.Linear(4, 4), nn.BatchNorm1d(4), None, 0
        self.register_buffer("average", torch.zeros(4))

    def forward(self, x):
        self.last, self.calls = self.norm(self.layer(x)), self.calls + 1
        self.average.mul_(0.9).add_(self.last.mean(0).detach())
        self.average = self.average + 1.0
        return nn.functional.dropout(self.last, 0.5)


@pytest.mark.parametrize("make", [mlp, Language, Remembering])
def test_an_audit_leaves_the_module_as_it_was(make):
    module = make()
    x = tokens() if make is Language else torch.randn(6, 16 if make is mlp else 4)
    for parameter in list(module.parameters())[::2]:
        parameter.grad = torch.ones_like(parameter)
    before = state(module)
    first = gt.audit(module, x)
    same(before, state(module))
    assert [layer.gain for layer in first.layers] == pytest.approx(
        [layer.gain for layer in gt.audit(module, x).layers], nan_ok=True
    )
    with pytest.raises(InvalidArgument):
        gt.audit(module, x[:, :0])
    same(before, state(module))


def test_batch_norms_use_the_batch_where_training_does():
    torch.manual_seed(0)
    module = nn.Sequential(*(part for _ in range(8) for part in (nn.Linear(64, 64), nn.BatchNorm1d(64))))
    for part in module[::2]:
        nn.init.normal_(part.weight, std=1 / 8)
    module[4].weight.data *= 20.0
    x = torch.randn(128, 64)
    assert gt.audit(module, x).verdict == "stable"  # the scale is divided away again
    report = gt.audit(module.eval(), x)
    assert (report.verdict, report.start) == ("explodes", "4")


@pytest.mark.parametrize(
    "x",
    [
        torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(4, 16), torch.ones(4))),
        torch.utils.data.TensorDataset(torch.ones(4, 16)),
        "x.npy",
        None,
        {1, 2},
    ],
    ids=["loader", "data set", "path", "none", "set"],
)
@pytest.mark.parametrize("module", [mlp(), Language()], ids=["mlp", "language"])
def test_a_batch_is_asked_for(module, x):
    with pytest.raises(InvalidArgument, match=r"^x = .*must be one batch.*next\(iter\(loader\)\)"):
        gt.audit(module, x)
    if x is not None:
        with pytest.raises(InvalidArgument, match=r"^y = .*must be one batch"):
            gt.audit(module, tokens(), x)


def test_lists_of_several_are_told_what_to_be():
    with pytest.raises(InvalidArgument, match="pass the targets of a batch as y; several inputs are a tuple"):
        gt.audit(mlp(), [torch.ones(4, 16), torch.ones(4)])

    class Two(nn.Module):
        def forward(self, a, b):
            return a + b

    with pytest.raises(InvalidArgument, match=r"TypeError.*missing.*several inputs are a tuple"):
        gt.audit(Two(), [torch.ones(4, 16), torch.ones(4, 16)])
    assert gt.audit(Two(), (torch.ones(4, 16), torch.ones(4, 16))).verdict == "stable"


def test_wrappers_are_looked_through():
    x = torch.randn(8, 16)
    names = [layer.name for layer in gt.audit(mlp(), x).layers]
    report = gt.audit(nn.DataParallel(mlp()), x)
    assert ([layer.name for layer in report.layers], report.is_measured_only) == (names, False)
    hooked = nn.DataParallel(mlp())
    hooked.register_forward_hook(lambda _module, _inputs, output: 2.0 * output)
    assert gt.audit(hooked, x).is_measured_only


@pytest.mark.slow
def test_compiled_modules():
    x, y = torch.randn(8, 16), torch.randint(0, 3, (8,))
    names = [layer.name for layer in gt.audit(mlp(), x).layers]
    compiled, parted, in_place = torch.compile(mlp(), backend="eager"), mlp(), mlp()
    parted[2] = torch.compile(parted[2], backend="eager")
    in_place.compile(backend="eager")
    assert [layer.name for layer in gt.audit(compiled, x).layers] == names
    assert gt.audit(parted, x).verdict == gt.audit(in_place, x).verdict == "stable"
    for module, name in ((compiled, "_orig_mod.4"), (in_place, "4")):
        module(x).sum().backward()  # compiled without hooks
        module.get_submodule(name).weight.data[0, 0] = math.nan
        with gt.monitor(module) as watch:
            nn.functional.cross_entropy(module(x), y).backward()
        assert watch.not_finite == (1, name, "forward")


def test_what_cannot_be_measured_says_so_in_one_line():
    lazy = nn.Sequential(nn.LazyLinear(4), nn.ReLU(), nn.LazyLinear(2))
    x = torch.randn(8, 16)
    for ask in (lambda: gt.audit(lazy, x), lambda: gt.monitor(lazy), lambda: gt.Network.from_torch(lazy)):
        with pytest.raises(InvalidArgument, match="parameters without a shape: call it once on a batch"):
            ask()
    assert lazy[0].has_uninitialized_params()
    lazy(x)
    assert gt.audit(lazy, x).verdict == "stable"

    class Strict(nn.Module):
        def forward(self, x):
            assert len(x) == 99, "a batch of 99"  # as users write

    with pytest.raises(InvalidArgument, match=r"^network = 'Strict': does not take.*AssertionError: a batch of 99"):
        gt.audit(Strict(), x)
    module = nn.Sequential(nn.Linear(16, 3, dtype=torch.complex64))
    with pytest.raises(InvalidArgument, match=r"complex numbers\) at '0"):
        gt.Network.from_torch(module)
    with pytest.raises(InvalidArgument, match="must return a tensor of floats"):
        gt.audit(module, x)


class Cut(nn.Module):
    def __init__(self, how):
        super().__init__()
        self.first, self.last, self.how = nn.Linear(16, 16), nn.Linear(16, 2), how

    def forward(self, x):
        if self.how == "detach":
            return self.last(self.first(x).detach())
        with torch.no_grad():
            h = self.first(x)
        return self.last(h) if self.how == "no_grad" else h


@pytest.mark.parametrize("how", ["detach", "no_grad"])
def test_where_gradients_are_cut_is_not_passed_over(how):
    with pytest.raises(InvalidArgument, match="detach at" if how == "detach" else "linear without gradients at|Linear"):
        gt.Network.from_torch(Cut(how))
    report = gt.audit(Cut(how), torch.randn(8, 16))
    assert report.unread.endswith("; no gradient comes back to first")
    assert "no gradient comes back to first" in str(report)
    assert [layer.name for layer in report.layers] == ["last"]


def test_outputs_without_gradients_are_refused():
    with pytest.raises(InvalidArgument, match="that no gradient comes back from"):
        gt.audit(Cut("all"), torch.randn(8, 16))


def test_audits_under_no_grad_and_of_frozen_modules():
    module, x = Language(), tokens()
    gains = [layer.gain for layer in gt.audit(module, x, x).layers]
    with torch.no_grad():
        assert [layer.gain for layer in gt.audit(module, x, x).layers] == pytest.approx(gains, nan_ok=True)
    with torch.inference_mode():
        batch = torch.randn(8, 16)
        assert gt.audit(mlp(), batch).verdict == "stable"
    assert gt.audit(nn.Sequential(nn.Flatten(), nn.Softmax(1)), batch).verdict == "stable"
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    assert [layer.gain for layer in gt.audit(module, x, x).layers][1:] == pytest.approx(gains[1:], rel=1e-4)


@dataclass
class Output:
    logits: "torch.Tensor"


def test_losses_of_the_module_and_outputs_in_classes():
    class Own(Language):
        def forward(self, input_ids, labels=None):
            logits = super().forward(input_ids)
            loss = None if labels is None else nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
            return Output(logits) if loss is None else {"loss": loss, "logits": logits}

    module, x = Own(), tokens()
    loss = module.eval()(x, x)["loss"].item()
    assert gt.audit(module, UserDict(input_ids=x, labels=x)).loss == pytest.approx(loss)
    assert gt.audit(module, {"input_ids": x}, x).loss == pytest.approx(loss)
    assert math.isnan(gt.audit(module, {"input_ids": x}).loss)


def test_frames_and_sparse_embeddings():
    class Frame:
        """An array as pandas has it: no tensor, but what NumPy reads."""

        shape = (4, 16)

        def __array__(self, dtype=None, copy=None):
            return np.ones(self.shape)

    assert gt.audit(mlp(), Frame()).verdict == "stable"
    module = nn.Sequential(nn.Embedding(20, 16, sparse=True), nn.Linear(16, 3))
    report = gt.audit(module, torch.arange(4), torch.zeros(4, dtype=int))
    assert report.layers[0].gradient_norm > 0.0
    with gt.monitor(module) as watch:
        module(torch.arange(4)).sum().backward()
    assert watch.gradient_norms["0"][0] == pytest.approx(module[0].weight.grad.to_dense().norm().item())


@pytest.mark.parametrize("inside", ["inner", "attention.out_proj"])
def test_which_weights_of_a_block_are_out_of_scale(inside):
    torch.manual_seed(3)
    module = Language(blocks=8)
    module.blocks[5].get_submodule(inside).weight.data *= 20.0
    report = gt.audit(module, tokens())
    assert (report.verdict, report.start) == ("explodes", "blocks.5")
    assert f"its {inside}.weight is " in report.cause
    assert "times as large as that of its peers" in report.cause


class Between(nn.Module):
    """A part whose own code may fail, between layers."""

    def __init__(self, how=lambda h: h):
        super().__init__()
        self.first, self.last, self.how = nn.Linear(16, 16), nn.Linear(16, 3), how

    def forward(self, x):
        return self.last(self.how(self.first(x)))


def nan_forward(h):
    return torch.log(h - 1e6)


def nan_backward(h):
    return torch.sqrt(h * 0.0)


def test_own_code_is_named():
    x = torch.randn(8, 16)
    assert gt.audit(Between(nan_forward), x).start == "Between"
    assert gt.audit(nn.Sequential(Between(nan_forward), nn.Softmax(1)), x).start == "0"
    for how, direction in ((nan_forward, "forward"), (nan_backward, "backward")):
        for module, name in ((Between(how), "Between"), (nn.Sequential(nn.Linear(16, 16), Between(how)), "1")):
            with gt.monitor(module) as watch:
                module(x).sum().backward()
            assert watch.not_finite == (1, name, direction)


def test_inputs_losses_and_attention_are_named():
    module, x = Language(), tokens()
    module.blocks[1].attention.in_proj_weight.data.fill_(math.nan)
    with gt.monitor(module) as watch:
        module(x).sum().backward()
    assert watch.not_finite == (1, "blocks.1.attention", "forward")
    for scale, told in ((math.nan, ("(input)", "forward")), (1.0, ("(loss)", "backward"))):
        module = nn.Sequential(nn.Linear(16, 16), nn.Sequential(nn.ReLU(), nn.Linear(16, 1)))
        with gt.monitor(module) as watch:
            torch.sqrt(0.0 * module(scale * torch.ones(2, 16))).sum().backward()
        assert watch.not_finite == (1, *told)


def test_gradients_of_parameters_alone_are_watched():
    module = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 1, bias=False))
    module[0].weight.data.fill_(1e-35)
    module[1].weight.data.fill_(1.0)
    with gt.monitor(module) as watch:
        (1e10 * module(torch.full((2, 4), 1e35))).sum().backward()
    assert watch.not_finite == (1, "0", "backward")


def test_the_monitor_changes_no_gradient():
    module, x = Language().eval(), tokens()
    other = copy.deepcopy(module)
    module(x).sum().backward()
    with gt.monitor(other):
        other(x).sum().backward()
    assert all(torch.equal(a.grad, b.grad) for a, b in zip(module.parameters(), other.parameters(), strict=True))


def test_steps_of_parts_and_of_checkpoints():
    class Parts(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder, self.decoder = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x):
            return torch.utils.checkpoint.checkpoint(self.encoder, x, use_reentrant=False)

    module, x = Parts(), torch.randn(2, 4)
    with gt.monitor(module) as watch:
        for _ in range(3):
            module.decoder(module.encoder(x)).sum().backward()  # the module itself is never called
    assert watch.steps == [1, 2, 3]
    with gt.monitor(module) as watch:
        for _ in range(2):
            module.decoder(module(x)).sum().backward()  # calls the encoder again
    assert watch.steps == [1, 2]


def test_accumulation_mixed_precision_and_nested_monitors():
    module, x, y = mlp(), torch.randn(8, 16), torch.randint(0, 3, (8,))
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    with gt.monitor(module) as outer, gt.monitor(module, every=2) as inner:
        for _ in range(4):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = nn.functional.cross_entropy(module(x), y)
            scaler.scale(loss).backward()
    assert (outer.steps, inner.steps) == ([1, 2, 3, 4], [1, 3])
    assert outer.gradient_norms["0"] == pytest.approx(
        [k * outer.gradient_norms["0"][0] for k in (1, 2, 3, 4)], rel=1e-3
    )
    assert inner.gradient_norms["0"] == outer.gradient_norms["0"][::2]
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())


def _hooks(module):
    parts = [(part._forward_pre_hooks, part._forward_hooks) for part in module.modules()]
    return sum(len(hooks) for both in parts for hooks in both)


def test_copies_that_are_made_while_a_module_is_monitored_have_no_hooks_afterwards():
    module, x = mlp(), torch.randn(8, 16)
    with gt.monitor(module) as watch, gt.monitor(module) as other:
        first = copy.deepcopy(module)
        mean, second, part = torch.optim.swa_utils.AveragedModel(module), copy.deepcopy(first), copy.deepcopy(module[2])
        first[2].weight.data.fill_(math.nan)
        for each in (first, second, mean, module):
            each(x).sum().backward()
    assert (watch.not_finite, watch.steps, other.steps) == (None, [1], [1])
    assert [_hooks(each) for each in (module, first, second, mean, part)] == [0] * 5
    assert not any(part._forward_hooks_with_kwargs for part in first.modules())


def test_a_module_is_saved_while_it_is_monitored():
    module, x = mlp(), torch.randn(8, 16)
    with gt.monitor(module) as watch:
        saved = io.BytesIO()
        torch.save(module, saved)
        module(x).sum().backward()
    assert b"gradtheory" not in saved.getvalue()
    saved.seek(0)
    loaded = torch.load(saved, weights_only=False)
    assert torch.equal(loaded(x), module(x))
    assert watch.steps == [1]


def test_numbers_whose_sum_overflows_are_finite():
    for kind, large in ((torch.float16, 6e4), (torch.float32, 3e38), (torch.float64, 1.7e308)):
        assert is_finite(torch.full((1000,), large, dtype=kind))
        for sick in ([large, math.inf], [math.inf, -math.inf], [math.nan, 1.0]):
            assert not is_finite(torch.tensor(sick, dtype=kind))


def test_steps_that_are_not_recorded_take_the_tensors_as_they_are():
    module = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Tanh())
    taken, given = [], []
    module[0].register_forward_hook(lambda _part, _inputs, output: given.append(output))
    with gt.monitor(module, every=2):
        module[1].register_forward_hook(lambda _part, inputs, _output: taken.append(inputs[0]))
        for _ in range(2):
            module(torch.ones(1, 3)).sum().backward()
    assert [a is b for a, b in zip(taken, given, strict=True)] == [False, True]


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        (torch.nn.MSELoss, r"^loss = 'MSELoss': is a class: make a loss of it, as MSELoss\(\)"),
        (torch.nn.MSELoss(reduction="none"), r"^loss = .*: must return a tensor of one number, .* of shape \(8, 2\)"),
        (lambda output: output.mean(), "^loss = .*: does not take the output and y: TypeError"),
        (lambda *_: 3.0, "^loss = .*: must return a tensor of one number, .* returned a float"),
    ],
)
def test_it_is_the_loss_that_is_named(loss, said):
    module = torch.nn.Linear(3, 2)
    with pytest.raises(InvalidArgument, match=said):
        gt.audit(module, torch.ones(8, 3), torch.ones(8, 2), loss=loss)


def test_arrays_with_a_gradient_are_taken():
    layer, x = torch.nn.Linear(3, 2), torch.ones(4, 3, requires_grad=True)
    network = gt.Network((3, 2), "tanh", w=[layer.weight], b=[layer.bias])
    plain = gt.Network((3, 2), "tanh", w=[layer.weight.detach().numpy()], b=[layer.bias.detach().numpy()])
    assert network.backprop(x, np.ones((4, 2))).loss == plain.backprop(np.ones((4, 3)), np.ones((4, 2))).loss
