"""What is installed: one version everywhere, and a core that works without the extras and names them."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import gradtheory as gt

_ROOT = Path(__file__).parent.parent
_PROJECT = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
_EXTRAS = {
    extra: [re.match(r"[\w-]+", need)[0].replace("-", "_") for need in needs if not need.startswith("gradtheory[")]
    for extra, needs in _PROJECT["optional-dependencies"].items()
}
_LIBRARIES = sorted({library for libraries in _EXTRAS.values() for library in libraries})

_CORE = """
gt.explosion_set("sigmoid", w=7)
gt.explosion_set("gelu", w="0.95")
gt.widest_explosion("sigmoid")
gt.explosion_formula("arctan")
gt.arrays.explosion_width("tanh", [2.0, 3.0])
gt.checker.check(gt.certificate("tanh", w=3))
gt.Chain(depth=2).gradient(gt.Chain(depth=2).w[1])
gt.Chain(depth=2).backprop([1.0], [0.0], [1.0, 2.0], [0.0, 0.0])
gt.total_explosion_bound(gt.Chain(depth=2))
gt.Network((2, 2, 1), "sigmoid").jacobian_bound(w=[[[3.0, 0.0], [0.0, 4.0]], [[6.0, 8.0]]])
gt.lyapunov_exponent("tanh", sigma_w=2)
print(gt.audit(gt.Network((1, 1), "tanh", w=[[[2.0]]], b=[[0.0]]), [[1.0]]))
gt.meanfield.edge_of_chaos("tanh", sigma_b=0.3)
gt.meanfield.gain("relu", 1)
gt.overflow_depth(2)
gt.simulation.random_chains("tanh", depth=4, chains=16, burn_in=1, seed=1)
gt.train(gt.Chain(depth=2), [1.0], [0.0], [1.0, 2.0], [0.0, 0.0], optimiser=gt.optimisers.adam(0.1), steps=2)
gt.stability_region("heavy_ball").contains(eta=0.1, beta=0.9, h=30)
gt.compare_activations(["tanh", "relu"])
gt.advise(gt.Chain(depth=2), [-0.2, 0.2], [0.0, 1.0], w=[7.0, 7.0], b=[0.0, -3.5])
gt.testing.assert_gradients(lambda x, y, w, b: vars(gt.Chain(1).backprop(x, y, w, b)), depth=1, cases=3)
assert gt.derive("clipping").check().ok
print(gt.fact("widest"))
"""

_CALLS = {
    "arrays": "gt.arrays.explosion_width('tanh', Foreign())",
    "documents": "gt.derive('clipping').to_latex()",
    "explorer": "from gradtheory.explorer.server import explore; explore()",
    "networks": "gt.Network.from_onnx('none.onnx')",
    "plots": "gt.plots.width_over_weight('tanh')",
    "simulation": "gt.simulation.random_networks('tanh', depth=2, width=4, networks=2, seed=1)",
    "sweep": "gt.sweep(gt.meanfield.chi, {'q': [1.0]}, sigma_w=1.0)",
    "testing": "gt.strategies.chains()",
}


def _without_extras(program):
    """Run a program for which no library of an extra can be imported."""
    start = f"import sys\nsys.modules.update(dict.fromkeys({_LIBRARIES}))\nimport gradtheory as gt\n"
    return subprocess.run([sys.executable, "-c", start + program], capture_output=True, text=True, check=False)


def test_one_version_everywhere():
    citation = (_ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changelog = (_ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\nversion: {gt.__version__}\n" in citation
    assert re.findall(r"^## (\d\S*)", changelog, flags=re.MULTILINE)[0] == gt.__version__
    assert "version" not in _PROJECT


def test_the_extra_all_is_all():
    (everything,) = _PROJECT["optional-dependencies"]["all"]
    assert set(re.findall(r"\w+", everything)) == {"gradtheory", *_EXTRAS} - {"all"}


@pytest.mark.slow
def test_the_core_works_alone():
    run = _without_extras(_CORE)
    assert run.returncode == 0, run.stderr


@pytest.mark.slow
def test_help_needs_no_extra():
    run = _without_extras("help(gt); [help(getattr(gt, name)) for name in gt.__all__]")
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("Help on package gradtheory")


@pytest.fixture(scope="module")
def needs():
    """What each call says that it needs, in one process for all of them."""
    program = "class Foreign:\n    dtype = 'float32'\n" + "".join(
        f"try:\n    {call}\nexcept gt.errors.MissingDependency as error:\n    print('{extra}', error, sep='\\t')\n"
        for extra, call in _CALLS.items()
    )
    run = _without_extras(program)
    assert run.returncode == 0, run.stderr
    return dict(line.split("\t") for line in run.stdout.splitlines())


@pytest.mark.slow
@pytest.mark.parametrize("extra", sorted(_CALLS))
def test_a_call_names_the_extra_it_needs(needs, extra):
    assert re.fullmatch(rf'needs ({"|".join(_EXTRAS[extra])}): pip install "gradtheory\[{extra}\]"', needs[extra])


def test_the_command_line_names_its_extra():
    run = _without_extras("from gradtheory.cli import main; sys.exit(main(['widest', 'sigmoid']))")
    assert run.returncode == 2
    assert re.fullmatch(r'gradtheory: needs (click|rich): pip install "gradtheory\[cli\]"\n', run.stderr)


def test_the_docstring_maps_every_public_name():
    assert set(gt.__all__) <= set(re.findall(r"\w+", gt.__doc__))
    assert len(gt.__doc__.splitlines()) <= 30
