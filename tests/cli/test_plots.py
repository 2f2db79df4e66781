"""`gradtheory plot`: every picture has its command, and mistakes are told before anything is drawn."""

import numpy as np
import pytest
from safetensors.numpy import save_file

import gradtheory as gt
from gradtheory.cli import main
from gradtheory.cli.commands import app
from gradtheory.cli.help import Context
from gradtheory.cli.page import top_context

_plot = app.commands["plot"]
_CONTEXT = Context(_plot, info_name="plot", parent=top_context())
_BEGINS = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}
_QUICK = (
    "chain_diagram --depth 2 --out x.svg",
    "glance --expr tanh(z) --out x.svg",
    "training_curve -w 6,6 --eta 2 --steps 3 --out x.svg",
)
_SLOW = (
    "stability_diagram --optimisers heavy_ball --points 5 --out x.pdf",
    "explosion_region {net} --box -1:1,-1:1 -c 50 --out x.svg",
    "activation_and_slope gelu --span 4 --out x.png",
    "basins gelu --sigma-w 1.4,1.5 --out x.svg",
    "correlation_map tanh --sigma-w 1.5 --out x.svg",
    "depth_scale_map tanh --sigma-w 1.0,2.0 --sigma-b 0.1,0.2 --out x.svg",
    "depth_scales tanh --sigma-w 1.2,1.4 --squared --out x.svg",
    "edges --activations tanh,elu --points 10 --out x.svg",
    "factor_distribution sigmoid --sigma-w 4 --out x.svg",
    "factor_over_input gelu -w -12 -b 1/2 --threshold 2 --out x.svg",
    "gradient_over_depth tanh --sigma-w 1 --depth 4 --width 8 --networks 2 --out x.svg",
    "gradient_over_layers --factors 0.5,1.0 --depth 5 --out x.svg",
    "growth_of_layers {net} --data {x} --out x.svg",
    "lyapunov_over_weight sigmoid --sigma-w 1,2 --out x.svg",
    "phase_diagram tanh --points 10 --networks 1.5:0.1 --out x.svg",
    "settling tanh --sigma-w 1.5 --of q --starts 1,2 --depth 3 --out x.svg",
    "singular_values_of_layers {net} --data {x} --out x.svg",
    "trainable_depth tanh --sigma-w 1.2,1.4 --out x.svg",
    "variance_map tanh --sigma-w 1.5 --out x.svg",
    "width_over_weight sigmoid --threshold 1/2 --out x.svg",
)


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    save_file({f"layer{k}.weight": rng.normal(0, 1, (2, 2)) for k in range(2)}, tmp_path / "net.safetensors")
    np.save(tmp_path / "x.npy", rng.normal(size=(4, 2)))
    return {"net": "net.safetensors", "x": "x.npy"}


@pytest.mark.parametrize("line", [*_QUICK, *(pytest.param(each, marks=pytest.mark.slow) for each in _SLOW)])
def test_pictures_are_drawn(capsys, files, tmp_path, line):
    *asked, out = line.format(**files).split()
    assert main(["plot", *asked, out]) == 0
    assert capsys.readouterr().out == f"Written: {out}\n"
    path = tmp_path / out
    assert path.read_bytes().startswith(_BEGINS[path.suffix])


def test_every_picture_is_tried_and_has_a_command():
    tried = sorted(line.split()[0] for line in (*_QUICK, *_SLOW))
    assert tried == sorted(gt.plots.__all__) == _plot.list_commands(_CONTEXT)
    for name in tried:
        assert "Example: gradtheory plot" in _plot.get_command(_CONTEXT, name).get_help(_CONTEXT)


def test_the_language_reaches_the_picture(capsys, files, monkeypatch):
    seen = []
    real = gt.plots.chain_diagram
    monkeypatch.setattr(gt.plots, "chain_diagram", lambda *, lang="en", **more: seen.append(lang) or real(**more))
    assert main(["plot", "chain_diagram", "--out", "x.png", "--lang", "zh"]) == 0
    assert seen == ["zh"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("phase_diagram tanh --out x.gif", "must end in one of .png, .svg, .pdf"),
        ("phase_diagram tanh --out {net}/x.png", "must be a file that can be written to"),
        ("phase_diagram", "Missing option '-o' / '--out', as in: gradtheory plot phase_diagram tanh --out"),
        ("phase_diagram tahn --out x.png", "the nearest names are tanh"),
        ("glance --out x.png", "give either ACT"),
        ("settling tanh --starts 1,x --out x.png", "must be numbers with commas between them"),
        ("settling tanh --of z --out x.png", "must be one of 'q', 'c'"),
        ("chain_diagram --depth two --out x.png", "'two' is not a valid integer"),
        ("stability_diagram --optimisers sgd --out x.png", "the nearest is 'gradient_descent'"),
        ("explosion_region {net} --box -1,1 --out x.png", "must be the lower and the upper end of each input"),
        ("training_curve -w 1,x --out x.png", "weights = 'x'"),
    ],
)
def test_mistakes_are_told(capsys, files, line, said):
    assert main(["plot", *line.format(**files).split()]) == 2
    assert said in capsys.readouterr().err
