"""What the examples of docs/findings.md print is what stands behind them."""

import contextlib
import io
import os
import re
from pathlib import Path

import pytest

os.environ["KERAS_BACKEND"] = "jax"
_REASON = "`make test-peers` installs it and runs this"
for library in ("torch", "jax", "keras"):
    pytest.importorskip(library, reason=_REASON)

_PAGE = (Path(__file__).parents[2] / "docs" / "findings.md").read_text(encoding="utf-8")
_BEGINNING, *_EXAMPLES = re.findall(r"```py\n(.*?)```", _PAGE, flags=re.DOTALL)


@pytest.mark.parametrize("example", _EXAMPLES, ids=lambda text: text.splitlines()[-1])
def test_examples_print_what_the_page_says(example):
    said = re.findall(r"^print\(.*\)  # (.*)$", example, flags=re.MULTILINE)
    names = {}
    exec(_BEGINNING, names)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(example, names)
    assert said
    assert printed.getvalue().splitlines() == said
