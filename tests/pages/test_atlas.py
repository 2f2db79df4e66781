"""The catalogue at a glance, and its page in docs/, which must not be stale."""

from pathlib import Path

import pytest
import sympy

import gradtheory as gt
from gradtheory.pages.atlas import AtlasEntry, decimal, entries, page, write

_DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_in_docs_is_not_stale():
    assert (_DOCS / "catalogue.md").read_text(encoding="utf-8") == page(), "run `gradtheory atlas --out docs`"
    pictures = {path.stem for path in (_DOCS / "images" / "catalogue").glob("*.svg")}
    assert pictures == set(gt.activation_names())


@pytest.mark.sampled(12)
def test_the_page_holds_every_record(name):
    record, text = gt.activation(name), page()
    assert f"| {name} | ![](images/catalogue/{name}.svg) | {AtlasEntry(record).critical} | " in text
    for peer in record.peers.values():
        assert f"`{peer}`" in text
    for parameter, default in gt.activation_parameters(name).items():
        assert f"{parameter}={default}" in text


def test_writing_twice_gives_the_same_files(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "gradtheory.pages.atlas.entries", lambda: [AtlasEntry(gt.activation(each)) for each in ("gelu", "relu")]
    )
    first, second = ({path.name: path.read_bytes() for path in write(tmp_path / each)} for each in "ab")
    assert first == second
    assert set(first) == {"gelu.svg", "relu.svg", "catalogue.md"}


def test_there_are_at_least_35():
    assert len(entries()) >= 35


def test_numbers_are_rounded_once_and_say_what_they_are():
    sigmoid, hard_tanh, relu = (AtlasEntry(gt.activation(each)) for each in ("sigmoid", "hard_tanh", "relu"))
    assert (sigmoid.width, sigmoid.weight, sigmoid.guarantee) == ("0.4477432047", "6.894151032", "certified")
    assert (hard_tanh.width, hard_tanh.weight, hard_tanh.guarantee) == ("2", "→ 1", "exact")
    assert (relu.width, relu.critical) == ("∞", "1")
    assert decimal(sympy.Rational(2, 3), 4) == "0.6667"
    assert decimal(sympy.Rational(1, 8)) == "0.125"
    assert decimal(sympy.Rational(2, 3), 50) == "0." + 49 * "6" + "7"
    tiny = sympy.Rational(1, 10**60)
    assert decimal(sympy.Rational(5, 4) + tiny, 2) == decimal(sympy.Rational(5, 4) + tiny * sympy.sqrt(2), 2) == "1.3"
    assert decimal(sympy.exp(-(10**7)), 5) == "1.5169E-4342945"
    assert decimal(sympy.Rational(10**40 - 1, 10**40), 40) == "0." + 40 * "9"


def test_what_depth_does():
    softsign, relu, selu = (AtlasEntry(gt.activation(each)) for each in ("softsign", "relu", "selu"))
    assert (softsign.depth_bound, softsign.widens, softsign.factor) == ("1", "yes", "2")
    assert (relu.depth_bound, relu.widens, relu.factor) == ("∞", "no", "—")
    assert (selu.depth_bound, selu.widens, selu.factor, selu.reason) == ("—", "—", "—", "σ' jumps at z = 0")


@pytest.mark.sampled(12)
def test_depth_widens_where_h_exceeds_k(name):
    entry = AtlasEntry(gt.activation(name))
    row = f"| {name} | {entry.width} | {entry.depth_bound} | {entry.widens} | {entry.factor} | "
    assert row in page()
    if entry.widens != "—":
        h, k = (sympy.Float(number) if number != "∞" else sympy.oo for number in (entry.depth_bound, entry.width))
        assert (h > k) == (entry.widens == "yes")
        assert entry.factor == "—" or abs(h / k - sympy.Float(entry.factor)) < 1e-8


def test_sparklines(name):
    line = AtlasEntry(gt.activation(name)).sparkline
    assert len(line) == 24
    assert "█" in line


def test_parameters():
    assert dict(gt.activation_parameters("leaky_relu")) == {"slope": sympy.Rational(1, 100)}
    assert dict(gt.activation_parameters("tanh")) == {}
    with pytest.raises(gt.errors.InvalidArgument, match="nearest"):
        gt.activation_parameters("tanhh")
