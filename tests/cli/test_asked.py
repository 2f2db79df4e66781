"""Errors in JSON, LaTeX by its name, and the table of an audit before its remedies."""

import json

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.cli import main


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (["edge", "tanh", "--sigma-b", "0.1"], ["sigma_w", "variance"]),
        (["critical", "tanh"], ["sigma_w", "sigma_b", "variance"]),
    ],
)
def test_errors_stand_in_json(asked, names, capsys):
    assert main([*asked, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert all(0.0 <= told[f"{name}_error"] < 1e-9 for name in names)


def test_what_there_is_not_has_no_error(capsys):
    assert main(["edge", "relu", "--sigma-b", "0.1", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["sigma_w_error"] is None
    assert told["variance_error"] is None


def test_latex_is_tex(capsys):
    asked = ["derive", "--depth", "1", "--format"]
    assert main([*asked, "tex"]) == 0
    tex = capsys.readouterr().out
    assert main([*asked, "latex"]) == 0
    assert capsys.readouterr().out == tex


def test_the_table_of_an_audit_comes_before_remedies_are_tried(tmp_path, monkeypatch, capsys):
    table = []

    def remedies(self):
        table.append(capsys.readouterr().out)
        return ()

    monkeypatch.setattr(gt.Audit, "remedies", property(remedies))
    rng = np.random.default_rng(0)
    network = gt.Network((4, 4), "tanh", "mse", w=[rng.normal(size=(4, 4))], b=[np.zeros(4)])
    np.save(tmp_path / "x.npy", rng.normal(size=(8, 4)))
    monkeypatch.setattr("gradtheory.cli.networks.read_network", lambda *_: network)
    assert main(["audit", "model.onnx", "--data", str(tmp_path / "x.npy")]) == 0
    assert "layer1" in table[0]
    assert "no remedy is tried" not in table[0]
    assert capsys.readouterr().out.startswith("\nno remedy is tried")
