"""Every published number is computed again, row by row, and the page shows what comes out."""

import operator
from pathlib import Path

import pytest

import gradtheory as gt
from gradtheory.pages import literature
from gradtheory.pages.literature import NUMBERS
from gradtheory.pages.literature.sources import SOURCES

_PAGE = Path(__file__).parents[2] / "docs" / "literature.md"


@pytest.mark.parametrize("number", NUMBERS, ids=lambda each: f"{each.source}, {each.what}")
def test_a_published_number_comes_out(number):
    assert number.agrees is not bool(number.deviation), f"printed {number.printed}, computed {number.computed!r}"
    assert operator.attrgetter(number.by)(gt)
    assert number.source in SOURCES


def test_there_are_forty_and_every_source_is_used():
    assert len(NUMBERS) >= 40
    assert len({(each.source, each.what, each.printed) for each in NUMBERS}) == len(NUMBERS)
    assert {each.source for each in NUMBERS} <= SOURCES.keys()


def test_another_number_would_be_noticed():
    from dataclasses import replace

    number = next(each for each in NUMBERS if each.printed == "1.98800468")
    assert number.agrees
    assert not replace(number, printed="1.98800469").agrees
    assert not replace(number, printed="1.98800467").agrees


def test_the_page_is_what_the_code_writes(tmp_path):
    (path,) = literature.write(tmp_path)
    assert path.read_text(encoding="utf-8") == _PAGE.read_text(encoding="utf-8")
