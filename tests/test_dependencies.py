"""The page on what is installed names each library that the package asks for, as pyproject.toml does, with a licence."""

import re
import runpy
from pathlib import Path

import pytest

_DOCS = Path(__file__).parent.parent / "docs"
_MODULE = runpy.run_path(str(_DOCS / "dependencies.py"))
_ROW = re.compile(r"^\| (\S+) \| (.+?) \| (.*?) \| (.*?) \| ([\d.]+) \|$", flags=re.MULTILINE)


def _rows():
    return _ROW.findall((_DOCS / "dependencies.md").read_text(encoding="utf-8"))


def test_the_page_has_what_the_package_asks_for():
    asked = {
        (need.name.lower().replace("_", "-"), f"`[{extra}]`" if extra else "the core", bound)
        for extra, needs in _MODULE["direct"]().items()
        for need in needs
        for bound in str(need.specifier).split(",")
    }
    told = {(name, wanted_by, bound) for name, wanted_by, versions, *_ in _rows() for bound in versions.split(", ")}
    assert asked == {each for each in told if each[2]}, "run `python docs/dependencies.py`"


def test_every_library_has_a_licence():
    assert len(_rows()) > 30
    assert [name for name, _, _, licence, _ in _rows() if not licence or licence == "see its page"] == []


@pytest.mark.slow
def test_what_is_installed_here_can_be_told():
    page = _MODULE["page"]()
    assert {name for name, *_ in _ROW.findall(page)} >= {"sympy", "matplotlib", "markupsafe"}
    assert int(re.search(r"loads (\d+) small modules", page)[1]) < 40
