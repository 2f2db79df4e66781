"""`--json` of every command: the shape that docs/json.md documents, and exact numbers that say the same as their floats."""

import json
import math
from importlib.resources import files

import click
import jsonschema
import numpy as np
import pytest
import sympy
from safetensors.numpy import save_file

import gradtheory as gt
from gradtheory.cli import main
from gradtheory.cli.commands import app
from gradtheory.cli.results import Solutions, as_json, in_text

SCHEMA = json.loads(files("gradtheory.cli").joinpath("schema.json").read_text(encoding="utf-8"))
_RUNS = (
    "set sigmoid -w 7 -b 1",
    "set gelu -w 0.9",
    "set cosine -w 2",
    "set sigmoid -w 4 --closed",
    "set tanh -w 1/2",
    "weights tanh -x 0 --closed",
    "biases relu -w 2 -x 3/2",
    "total sigmoid -w 5 -b -2.5 --depth 3",
    "total tanh -w 1/2",
    "width relu -w 2",
    "widest relu",
    "widest sigmoid --digits 30",
    "depth softsign",
    "depth selu",
    "fact",
    "fact widest",
    "fact logistic --activation tanh",
    "lyapunov relu --sigma-b 0",
    "lyapunov tanh",
    "lyapunov hardshrink --sigma-w 2",
    "edge tanh --sigma-b 0.3",
    "edge relu --sigma-b 1",
    "critical sigmoid",
    "critical gelu",
    "simulate sigmoid --depth 4 --chains 20",
    "stability adamw",
    "stability heavy_ball --beta 0.9 --eta 0.3",
    "train -w 6,6 --eta 2 --steps 5",
    "train -w 3,3,3 --activation identity -x 1 -y 0 --eta 1",
    "advise -w -1,-1 -b -5,-5 --activation threshold -x 1 -y 0",
)
_DEAR = ("activations", "atlas", "gains", "advise -w 8,8,8 -b -4,-4,-4", "derive --depth 2 --wrt x")


def told(capsys, *arguments):
    assert main([*arguments, "--json"]) in (0, 1)
    return json.loads(capsys.readouterr().out, parse_constant=pytest.fail)


def check(answer, command):
    """Hold an answer against the part of the schema for its command, whose message is short, and against the whole."""
    assert answer["command"] == command
    branches = [each for each in SCHEMA["oneOf"] if each["properties"]["command"]["const"] == command]
    wrong = [
        list(jsonschema.Draft202012Validator({**each, "$defs": SCHEMA["$defs"]}).iter_errors(answer))
        for each in branches
    ]
    assert [] in wrong, wrong[0][0].message
    assert jsonschema.Draft202012Validator(SCHEMA).is_valid(answer)


@pytest.mark.parametrize("line", [*_RUNS, *(pytest.param(each, marks=pytest.mark.slow) for each in _DEAR)])
def test_every_answer_fits_the_schema(capsys, line):
    answer = told(capsys, *line.split())
    check(answer, line.split()[0])


@pytest.mark.slow
def test_the_article_fits_the_schema(capsys, tmp_path):
    answer = told(capsys, "article", "--out", str(tmp_path), "--lang", "zh")
    check(answer, "article")
    assert answer["verdicts"]["saturation"] == "fails"


def test_what_needs_files_fits_the_schema(capsys, tmp_path):
    proof, model, x = (str(tmp_path / name) for name in ("proof.json", "net.safetensors", "x.npy"))
    told(capsys, "set", "tanh", "-w", "2", "--certificate", proof)
    rng = np.random.default_rng(0)
    save_file({f"layer{k}.weight": rng.normal(0, 1, (8, 8)) for k in range(6)}, model)
    np.save(x, rng.normal(size=(8, 8)))
    for asked in (("verify", proof), ("audit", model, "--data", x)):
        check(told(capsys, *asked), asked[0])


def test_every_command_with_json_is_tried_and_in_the_schema():
    commands = {name for name, command in app.commands.items() if "as_json" in [each.name for each in command.params]}
    tried = {line.split()[0] for line in (*_RUNS, *_DEAR)} | {"article", "verify", "audit"}
    assert commands == tried == {branch["properties"]["command"]["const"] for branch in SCHEMA["oneOf"]}
    assert app.commands.keys() - commands == {"plot", "explore"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"command": "width", "guarantee": "exact"},
        {"command": "width", "guarantee": "exact", "width": 0.5},
        {"command": "width", "guarantee": "exact", "width": {"value": 0.5, "exact": "1/2"}},
        {"command": "set", "set": [{"lower": 0, "upper": 1}], "period": None, "guarantee": "exact"},
        {"command": "explode"},
    ],
)
def test_the_schema_refuses_other_shapes(wrong):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(wrong)


def _numbers(value):
    if isinstance(value, dict) and "exact" in value:
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _numbers(part)


def test_floats_are_the_nearest_to_the_exact_numbers(capsys):
    answer = told(capsys, "set", "sigmoid", "-w", "7", "-b", "1")
    assert len(list(_numbers(answer))) == 2
    for number in _numbers(answer):
        exact = sympy.sympify(number["exact"])  # text of our own
        assert number["value"] == float(exact.n(30))
    assert answer["set"][0]["lower"]["exact"] == str(gt.explosion_set("sigmoid", 7, 1).start)


def test_digits_are_as_many_as_are_asked_for(capsys):
    width = told(capsys, "widest", "sigmoid", "--digits", "30")["width"]
    assert width["digits"] == "0.447743204694302849178324240970"
    assert width["value"] == float(width["digits"])
    assert width["guarantee"] == "certified"


def test_intervals_are_in_order_and_know_their_ends():
    pieces = sympy.Union(sympy.Interval.Lopen(5, sympy.oo), sympy.FiniteSet(3), sympy.Interval.Ropen(-1, sympy.pi))
    shown = as_json(pieces)
    assert [(each["lower"]["value"], each["upper"]["value"]) for each in shown] == [(-1.0, math.pi), (5.0, "inf")]
    assert [(each["lower_open"], each["upper_open"]) for each in shown] == [(False, True), (True, True)]
    assert as_json(sympy.FiniteSet(3))[0]["lower_open"] is False
    assert as_json(sympy.S.EmptySet) == []


def test_text_shows_plain_numbers_beside_exact_forms(capsys):
    assert in_text(sympy.log(3) / 7) == "ln(3)/7 ≈ 0.156945"
    assert in_text(sympy.Integer(4)) == "4"
    assert in_text(sympy.oo) == "∞"
    assert in_text(Solutions(sympy.Interval.open(-sympy.oo, 0), "x")) == "x < 0"
    union = sympy.Union(sympy.Interval(0, sympy.pi), sympy.FiniteSet(5))
    assert in_text(Solutions(union, "x")) == "0 ≤ x ≤ 3.14159 or x = 5, exactly 0 ≤ x ≤ π or x = 5"
    assert main(["set", "cosine", "-w", "2"]) == 0
    assert (
        "0.261799 < x - 1.5708·k < 1.309, k = 0, ±1, ±2, …, exactly π/12 < x - π/2·k < 5 π/12, k = 0"
        in capsys.readouterr().out
    )


def test_estimates_keep_their_error():
    assert as_json(gt.Estimate(0.5, 1e-16)) == {"value": 0.5, "guarantee": "numeric", "error": 1e-16}
    assert as_json(np.array([0.5, np.inf])) == [0.5, "inf"]


def test_commands_say_which_they_are(capsys):
    assert isinstance(app, click.Group)
    assert told(capsys, "width", "relu", "-w", "2")["command"] == "width"


def test_values_are_the_nearest_floats():
    tie = sympy.Rational(2**53 + 1, 2**53)  # between two floats
    tiny = sympy.Rational(1, 10**40)
    assert as_json(tie + tiny)["value"] == as_json(tie + sympy.sqrt(2) * tiny)["value"] == 1 + 2**-52
    assert as_json(tie - tiny)["value"] == as_json(tie - sympy.sqrt(2) * tiny)["value"] == 1
    assert as_json(gt.explosion_set("sigmoid", 3804).end)["value"] == float.fromhex("0x1.1c0894e64cda2p-9")
