"""Audits of networks on graphs: the matrix of a graph is sparse, as a buffer, an attribute or an input."""

import pytest

import gradtheory as gt

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
nn = torch.nn
functional = nn.functional
NODES = 40
LAYOUTS = {"dense": lambda matrix: matrix, "coo": torch.Tensor.to_sparse, "csr": torch.Tensor.to_sparse_csr}

pytestmark = pytest.mark.filterwarnings("ignore:Sparse .* tensor support is in beta:UserWarning")


def _matrix():
    torch.manual_seed(1)
    near = torch.eye(NODES) + (torch.rand(NODES, NODES) < 0.1).float()
    return near / near.sum(1, keepdim=True)


class _Graph(nn.Module):
    def __init__(self, layout, held):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Linear(16, 32), nn.Linear(32, 3)
        if held == "buffer":
            self.register_buffer("matrix", LAYOUTS[layout](_matrix()))
        elif held == "attribute":
            self.matrix = LAYOUTS[layout](_matrix())

    def forward(self, x, matrix=None):
        matrix = self.matrix if matrix is None else matrix
        return matrix @ self.last(functional.relu(matrix @ self.first(x)))


def _report(layout, held):
    torch.manual_seed(2)
    x, y = torch.randn(NODES, 16), torch.randint(0, 3, (NODES,))
    given = (x, LAYOUTS[layout](_matrix())) if held == "input" else x
    return gt.audit(_Graph(layout, held), given, y, loss=functional.cross_entropy)


@pytest.mark.parametrize("layout", ["coo", "csr"])
@pytest.mark.parametrize("held", ["buffer", "attribute", "input"])
def test_a_sparse_matrix_is_as_good_as_a_dense_one(layout, held):
    report, dense = _report(layout, held), _report("dense", "attribute")
    assert (report.verdict, report.start) == (dense.verdict, dense.start)
    gains = [layer.gain for layer in dense.layers]
    assert [layer.gain for layer in report.layers] == pytest.approx(gains, rel=1e-4, nan_ok=True)
    if held != "input":
        with pytest.raises(gt.errors.InvalidArgument, match="holds what is not understood"):
            gt.Network.from_torch(_Graph(layout, held))


@pytest.mark.parametrize("layout", ["coo", "csr"])
def test_entries_that_are_not_finite_are_told(layout):
    module = _Graph(layout, "buffer")
    module.matrix.values()[3] = torch.nan
    report = gt.audit(module, torch.randn(NODES, 16), torch.randint(0, 3, (NODES,)))
    assert "its matrix holds nan before anything is run, in 1 of" in report.cause
    with pytest.raises(gt.errors.InvalidArgument, match="all of finite numbers"):
        gt.audit(_Graph(layout, "input"), (torch.randn(NODES, 16), module.matrix), torch.zeros(NODES).long())


def test_a_memory_that_grows_with_each_call_is_audited():
    class Memory(nn.Module):
        def __init__(self):
            super().__init__()
            self.into, self.out, self.kept = nn.Linear(8, 8), nn.Linear(8, 3), torch.zeros(1, 8)

        def forward(self, x):
            x = self.into(x)
            self.kept = torch.cat([self.kept, x.detach()])
            return self.out(x + self.kept.mean(0))

    module = Memory()
    assert gt.audit(module, torch.randn(20, 8), torch.randint(0, 3, (20,))).verdict == "stable"
    assert module.kept.shape == (1, 8)
    with pytest.raises(gt.errors.InvalidArgument, match="writes over its own tensors"):
        gt.Network.from_torch(module)
