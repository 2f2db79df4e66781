"""What the page is asked: as a link and back, and what is refused."""

from urllib.parse import parse_qsl

import pytest

import gradtheory as gt
from gradtheory.errors import InvalidArgument
from gradtheory.explorer.export import as_python
from gradtheory.explorer.state import State, numbers


@pytest.mark.parametrize(
    "state",
    [
        State(),
        State(activation="z*tanh(log(1 + exp(z)))", w=("1/3",), b=("-0.25",), lang="zh"),
        State(w=("5",) * 100, b=("-5/2",) * 100, layer=100, c="0.5", x="1e-3", sigma_w="4", sigma_b="0"),
    ],
)
def test_a_link_holds_the_state(state):
    assert State.of_query(dict(parse_qsl(state.query))) == state


def test_one_number_is_that_of_all_layers_and_links_stay_short():
    assert "w=5&" in State(w=("5",) * 100, b=("0",) * 100).query
    assert State.of_query({"w": "2", "b": "1", "depth": "3", "utm_source": "elsewhere"}).b == ("1", "1", "1")
    assert State.of_query({"w": "1,2"}).b == ("0", "0")


@pytest.mark.parametrize(
    ("query", "broken"),
    [
        ({"w": "seven"}, "w"),
        ({"w": "7,,5"}, "w"),
        ({"w": "1e999999999"}, "w"),
        ({"w": "9" * 61}, "w"),
        ({"b": "1,2"}, "b"),
        ({"c": "0"}, "c"),
        ({"c": "-1"}, "c"),
        ({"x": "nan"}, "x"),
        ({"x": "__import__('os')"}, "x"),
        ({"sigma_w": "0"}, "sigma_w"),
        ({"sigma_b": "-1"}, "sigma_b"),
        ({"depth": "0"}, "depth"),
        ({"depth": "1001"}, "depth"),
        ({"depth": "９"}, "depth"),
        ({"layer": "4"}, "layer"),
        ({"layer": "-1"}, "layer"),
        ({"lang": "fr"}, "lang"),
    ],
)
def test_a_link_that_breaks_a_rule_is_refused(query, broken):
    with pytest.raises(InvalidArgument) as caught:
        State.of_query(query)
    assert caught.value.name == broken
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("tanh", "tanh"),
        ("elu(alpha=2)", "elu(alpha=2)"),
        ("elu(2)", "elu(alpha=2)"),
        ("sigmoid(2*z)", None),
        ("Piecewise((0, z <= 0), (z, True))", None),
        ("z", "z"),
    ],
)
def test_an_activation_is_a_name_or_an_expression(text, called):
    record = State(activation=text).record
    assert record.name == called if called else record.expr == gt.expression(text)


@pytest.mark.parametrize(
    "text", ["sigmod", "__import__('os')", "<script>alert(1)</script>", "z" * 20_000, "", "exec(z)"]
)
def test_a_hostile_activation_is_refused_in_one_line(text):
    with pytest.raises(InvalidArgument) as caught:
        _ = State(activation=text).record
    assert "\n" not in str(caught.value)


def test_layers_are_added_like_the_last_and_taken_away():
    state = State(w=("7", "5"), b=("1", "2"), layer=2)
    assert state.with_depth(3).w == ("7", "5", "5")
    assert state.with_depth(1) == State(w=("7",), b=("1",), layer=1)
    assert state.with_layer("b", "1/3").b == ("1", "1/3")
    assert numbers("1，2") == ("1", "2")


def test_the_program_prints_the_same_set(capsys):
    program = as_python(State(activation="z*sigmoid(z)", w=("-2",), b=("0.5",), c="0.25", layer=1))
    shown = program.splitlines()[2:4]
    exec("\n".join(["import gradtheory as gt", *shown]), {})
    assert capsys.readouterr().out.strip() == str(
        gt.explosion_set(gt.expression("z*sigmoid(z)"), -2, "0.5", threshold="0.25")
    )
    assert "gt.activation('tanh')" in as_python(State(activation=" tanh"))
    hostile = as_python(State(activation="z')\nimport os #"))
    compile(hostile, "copied", "exec")
    assert "\nimport os" not in hostile
