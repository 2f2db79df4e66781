"""Pages in both languages say the same: the same headings, the same code but for its comments, the same links."""

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parent.parent
_FILES = {name: (_ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh.md")}
_TUTORIALS = [(_ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("tutorial.md", "tutorial.zh.md")]


def _without_code(text):
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def _headings(text):
    return [len(marks) for marks in re.findall(r"^(#+) ", _without_code(text), flags=re.MULTILINE)]


def _links(text):
    return [link for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith("README")]


def _code(text):
    return [re.sub(r" +# .*", "", code) for code in re.findall(r"```.*?```", text, flags=re.DOTALL)]


def _pages(text):
    return {link.replace(".zh.md", ".md") for link in _links(text)}


@pytest.mark.parametrize("part", [_headings, _pages, _code])
def test_both_languages_are_in_step(part):
    english, chinese = map(part, _FILES.values())
    assert english == chinese
    assert english


@pytest.mark.parametrize("part", [_headings, _code])
def test_both_tutorials_are_in_step(part):
    english, chinese = map(part, _TUTORIALS)
    assert [str(each).replace('lang="zh"', 'lang="en"') for each in chinese] == list(map(str, english))
    assert english


def test_each_leads_to_the_other():
    assert "](README.zh.md)" in _FILES["README.md"]
    assert "](README.md)" in _FILES["README.zh.md"]
    assert "](tutorial.zh.md)" in _TUTORIALS[0]
    assert "](tutorial.md)" in _TUTORIALS[1]


def test_chinese_leads_to_chinese():
    assert "](docs/tutorial.zh.md)" in _FILES["README.zh.md"]
    assert "gradtheory article --lang zh" in _without_code(_FILES["README.zh.md"])


def test_comments_are_in_the_language_of_the_page():
    for code in re.findall(r"```python.*?```", _FILES["README.zh.md"], flags=re.DOTALL):
        for comment in re.findall(r" # (.*)", code):
            assert re.search(r"[\u4e00-\u9fff]", comment), comment


def test_every_link_leads_to_a_file():
    for text in _FILES.values():
        for link in _links(text):
            assert (_ROOT / link).exists(), link
