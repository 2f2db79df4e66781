"""`gradtheory audit`: a table, JSON and a page for files of networks; bad files in one line."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from gradtheory.cli import main


def run(capsys, *arguments):
    code = main([str(each) for each in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    weights = {f"layer{k}.weight": rng.normal(0, 2 / 8, (64, 64)) for k in range(20)}
    save_file(weights | {f"layer{k}.bias": np.zeros(64) for k in range(20)}, tmp_path / "net.safetensors")
    np.save(tmp_path / "x.npy", rng.normal(size=(32, 64)))
    np.save(tmp_path / "y.npy", rng.integers(0, 64, 32))
    np.save(tmp_path / "objects.npy", np.array([object()]), allow_pickle=True)
    np.savez(tmp_path / "two.npz", x=np.ones(2), y=np.ones(2))
    np.save(tmp_path / "narrow.npy", np.ones((4, 3)))
    return tmp_path


@pytest.mark.slow
def test_audit(capsys, files):
    asked = ("audit", files / "net.safetensors", "--activation", "relu", "--data", files / "x.npy")
    code, out, _ = run(capsys, *asked)
    assert code == 0
    assert "The network explodes, from layer19 back." in out
    page = files / "report.html"
    code, out, _ = run(capsys, *asked, "--targets", files / "y.npy", "--json", "--html", page)
    assert (code, json.loads(out)["verdict"]) == (0, "explodes")
    assert json.loads(out)["loss"] > 1.0
    assert "<svg" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("model", "data", "message"),
    [
        ("net.safetensors", "none.npy", "data = "),
        ("net.safetensors", "objects.npy", "must be an array of numbers in a .npy file"),
        ("net.safetensors", "two.npz", "is a .npz file of several arrays"),
        ("net.safetensors", "narrow.npy", "data.shape = (4, 3): must be (batch, 64)"),
        ("net.pt", "x.npy", "is a pickle"),
        ("none.onnx", "x.npy", "cannot be read"),
        ("x.npy", "x.npy", "is no safetensors file"),
    ],
)
def test_bad_files_are_named(capsys, files, model, data, message):
    code, out, err = run(capsys, "audit", files / model, "--data", files / data)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
