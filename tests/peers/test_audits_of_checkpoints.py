"""Audits of modules with gradient checkpoints: these change no number, so that the report is the one without them."""

import pytest

import gradtheory as gt

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn
functional = nn.functional
checkpoints = pytest.importorskip("torch.utils.checkpoint")


class _Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.into, self.out = nn.LayerNorm(16), nn.Linear(16, 48), nn.Linear(16, 16)

    def forward(self, x):
        query, key, value = self.into(self.norm(x)).chunk(3, -1)
        return x + self.out(functional.scaled_dot_product_attention(query, key, value))


def _encoder():
    return nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)


def _layers():
    return nn.Sequential(*(each for _ in range(6) for each in (nn.Linear(16, 16), nn.Tanh())))


class _Checked(nn.Module):
    def __init__(self, parts, use_reentrant, *, in_segments=False):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.parts, self.last = (
            nn.Linear(8, 16),
            nn.ModuleList([each() for each in parts]),
            nn.Linear(16, 4),
        )
        self.use_reentrant, self.in_segments = use_reentrant, in_segments

    def _run(self, part, x):
        if self.use_reentrant is None:
            return part(x)
        if self.in_segments:
            return checkpoints.checkpoint_sequential(part, 3, x, use_reentrant=self.use_reentrant)
        return checkpoints.checkpoint(part, x, use_reentrant=self.use_reentrant)

    def forward(self, x):
        x = self.first(x)
        for part in self.parts:
            x = self._run(part, x)
        return self.last(x)


def _report(module):
    torch.manual_seed(1)
    return str(gt.audit(module, torch.randn(8, 10, 8), torch.randn(8, 10, 4), loss=functional.mse_loss))


@pytest.mark.parametrize("is_training", [True, False])
@pytest.mark.parametrize("use_reentrant", [True, False])
@pytest.mark.parametrize("parts", [[_Block] * 3, [_encoder] * 2, [_layers]])
def test_a_checkpoint_changes_no_report(parts, use_reentrant, is_training):
    plain = _report(_Checked(parts, None).train(is_training))
    assert _report(_Checked(parts, use_reentrant).train(is_training)) == plain


@pytest.mark.parametrize("use_reentrant", [True, False])
def test_checkpointed_segments_are_seen(use_reentrant):
    report = _report(_Checked([_layers], use_reentrant, in_segments=True))
    assert report == _report(_Checked([_layers], None))
    assert "parts.0.7" in report


@pytest.mark.parametrize("use_reentrant", [True, False])
def test_checkpoints_work_as_before_after_an_audit(use_reentrant):
    module = _Checked([_layers], use_reentrant)
    _report(module)
    calls = []
    module.parts[0].register_forward_hook(lambda *_: calls.append(1))
    module(torch.randn(2, 10, 8)).sum().backward()
    assert len(calls) == (2 if use_reentrant else 1)  # the other stops where it has what it needs


@pytest.mark.parametrize("use_reentrant", [True, False])
def test_what_is_under_a_checkpoint_is_read(use_reentrant):
    module = _Checked([_layers], use_reentrant)
    network = gt.Network.from_torch(module)
    x = torch.randn(4, 8)
    assert network.forward(x.numpy()) == pytest.approx(module(x).detach().numpy(), abs=1e-5)
    assert gt.audit(module, x, torch.randn(4, 4)).layers[0].predicted_gain > 0.0
