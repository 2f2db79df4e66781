"""What is installed: one version everywhere, and a core that works without the extras and names them."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import gradtheory as gt

_ROOT = Path(__file__).parent.parent
_PROJECT = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
_EXTRAS = {
    extra: [re.match(r"[\w-]+", need)[0].replace("-", "_") for need in needs if not need.startswith("gradtheory[")]
    for extra, needs in _PROJECT["optional-dependencies"].items()
}
_LIBRARIES = sorted({library for libraries in _EXTRAS.values() for library in libraries})


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


def test_the_command_line_names_its_extra():
    run = _without_extras("from gradtheory.cli import main; sys.exit(main(['widest', 'sigmoid']))")
    assert run.returncode == 2
    assert re.fullmatch(r'gradtheory: needs (click|rich): pip install "gradtheory\[cli\]"\n', run.stderr)


def test_the_docstring_maps_every_public_name():
    assert set(gt.__all__) <= set(re.findall(r"\w+", gt.__doc__))
    assert len(gt.__doc__.splitlines()) <= 30
