"""The pages of docs/cases: real networks in PyTorch, run as they stand."""

import doctest
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="`make test-peers` installs it and runs this")
pytest.importorskip("sklearn", reason="`make test-peers` installs it and runs this")

_PAGES = Path(__file__).parents[2] / "docs" / "cases"


@pytest.mark.slow
@pytest.mark.parametrize("page", ["sigmoid", "relu", "recurrent", "transformer"])
def test_the_page_says_what_happens(page):
    torch.manual_seed(0)
    result = doctest.testfile(str(_PAGES / f"{page}.md"), module_relative=False)
    assert result.attempted > 10
    assert result.failed == 0


def test_every_page_is_tried():
    assert {path.stem for path in _PAGES.glob("*.md")} == {"index", "sigmoid", "relu", "recurrent", "transformer"}
