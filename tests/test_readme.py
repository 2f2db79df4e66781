"""README.md and README.zh.md say the same: the same headings, the same code, the same links."""

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parent.parent
_FILES = {name: (_ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh.md")}


def _without_code(text):
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def _headings(text):
    return [len(marks) for marks in re.findall(r"^(#+) ", _without_code(text), flags=re.MULTILINE)]


def _links(text):
    return [link for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith("README")]


def _code(text):
    return re.findall(r"```.*?```", text, flags=re.DOTALL)


@pytest.mark.parametrize("part", [_headings, _links, _code])
def test_both_languages_are_in_step(part):
    english, chinese = map(part, _FILES.values())
    assert english == chinese
    assert english


def test_each_leads_to_the_other():
    assert "](README.zh.md)" in _FILES["README.md"]
    assert "](README.md)" in _FILES["README.zh.md"]


def test_every_link_leads_to_a_file():
    for text in _FILES.values():
        for link in _links(text):
            assert (_ROOT / link).exists(), link
