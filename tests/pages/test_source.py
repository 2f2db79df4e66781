"""The article covers its source: every claim of every paragraph is judged, or it is said why there is nothing to judge."""

import tomllib
from pathlib import Path

import pytest

from gradtheory.pages import article

_SOURCE = tomllib.loads(Path(__file__).with_name("source_claims.toml").read_text(encoding="utf-8"))
_STATED = _SOURCE["claim"]
_OURS = {claim.name: claim for claim in article.CLAIMS}
_SETTING = "setting"  # the definitions, which stand before the claims


def uncovered(stated, ours):
    """Return the claims of the source that are neither covered nor explained, or both, or covered by nothing."""
    return [
        each["says"]
        for each in stated
        if ("covered_by" in each) == bool(each.get("explained"))
        or not set(each.get("covered_by", [_SETTING])) <= {*ours, _SETTING}
        or each.get("covered_by") == []
    ]


def test_every_claim_of_the_source_is_covered_or_explained():
    assert uncovered(_STATED, _OURS) == []


def test_every_paragraph_is_listed_in_order():
    numbers = [each["paragraph"] for each in _STATED]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, _SOURCE["paragraphs"] + 1))
    assert len({each["says"] for each in _STATED if "explained" not in each}) == sum(
        "explained" not in each for each in _STATED
    )


def test_every_claim_of_ours_names_the_paragraphs_it_covers():
    named = {
        name: tuple(sorted({each["paragraph"] for each in _STATED if name in each.get("covered_by", ())}))
        for name in _OURS
    }
    assert named == {name: claim.paragraphs for name, claim in _OURS.items()}
    first = [claim.paragraphs for claim in article.CLAIMS]
    assert all(paragraphs for paragraphs in first)


@pytest.mark.parametrize(
    "flaw",
    [
        {"says": "a", "paragraph": 1},
        {"says": "a", "paragraph": 1, "covered_by": []},
        {"says": "a", "paragraph": 1, "covered_by": ["no claim of ours"]},
        {"says": "a", "paragraph": 1, "covered_by": ["depth"], "explained": "both"},
        {"says": "a", "paragraph": 1, "explained": ""},
    ],
)
def test_a_claim_that_is_left_out_is_noticed(flaw):
    assert uncovered([*_STATED, flaw], _OURS) == ["a"]
