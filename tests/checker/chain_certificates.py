"""Certificates of chains made by hand, for the tests of the checker."""

from fractions import Fraction

import mpmath

from tests.checker.chain_claims import gradient

SIGMOID = {"activation": "sigmoid", "expression": "1/(1 + exp(-z))"}
TANH = {"activation": "tanh", "expression": "tanh(z)"}
RELU = {"activation": "relu", "expression": "Max(0, z)"}
HARD_TANH = {"activation": "hard_tanh", "expression": "Max(-1, Min(1, z))"}
SOFTSIGN = {"activation": "softsign", "expression": "z/(Abs(z) + 1)"}
ELU = {"activation": "elu", "expression": "exp(Min(0, z)) + Max(0, z) - 1"}


def piece(left, right, text, sign):
    return {"left": left, "right": right, "piece": text, "sign": sign}


CELLS = {
    "sigmoid": [piece("-oo", "oo", "1/(1 + exp(-z))", 1)],
    "tanh": [piece("-oo", "oo", "tanh(z)", 1)],
    "relu": [piece("-oo", "0", "0", 0), piece("0", "oo", "z", 1)],
    "hard_tanh": [piece("-oo", "-1", "-1", 0), piece("-1", "1", "z", 1), piece("1", "oo", "1", 0)],
    "softsign": [piece("-oo", "0", "z/(1 - z)", 1), piece("0", "oo", "z/(1 + z)", 1)],
    "elu": [piece("-oo", "0", "exp(z) - 1", 1), piece("0", "oo", "z", 1)],
}


def end(outer, inner, is_open=True):
    return {"outer": str(outer), "inner": str(inner), "open": is_open}


def chain_certificate(
    activations, w, b, claimed=None, empty=None, threshold="1", strict=True, numbers=None, cells=None
):
    """Return a certificate; layers have the first activation unless numbers say which."""
    numbers = [0] * len(w) if numbers is None else numbers
    return {
        "format": "gradtheory-certificate/1",
        "claim": {
            "kind": "total explosion set",
            "activations": activations,
            "layers": [
                {"activation": n, "weight": weight, "bias": bias} for n, weight, bias in zip(numbers, w, b, strict=True)
            ],
            "threshold": threshold,
            "strict": strict,
        },
        "cells": [CELLS[each["activation"]] for each in activations] if cells is None else cells,
        "set": claimed,
        "empty": empty,
    }


def ends(data, inside, outside, is_open=True):
    """Return a set with brackets between inputs inside and outside, found by halving."""
    sides = {}
    with mpmath.workdps(90):
        for side, far in zip(("lower", "upper"), outside, strict=True):
            inner, outer = Fraction(inside), Fraction(far)
            for _ in range(70):
                middle = (inner + outer) / 2
                inner, outer = (middle, outer) if gradient(data, middle) > 1 else (inner, middle)
            sides[side] = end(outer, inner, is_open)
    return sides


def _valid():
    two = chain_certificate([SIGMOID], ["5", "5"], ["-5/2", "-5/2"])
    yield "sigmoid", two | {"set": ends(two, "1/2", (-3, 4))}
    closed = chain_certificate([SIGMOID], ["5", "5"], ["-5/2", "-5/2"], strict=False)
    yield "sigmoid, closed", closed | {"set": ends(closed, "1/2", (-3, 4), is_open=False)}
    mixed = chain_certificate([TANH, SOFTSIGN], ["2", "-3", "3/2"], ["0", "0", "0"], numbers=[0, 1, 0])
    yield "tanh and softsign", mixed | {"set": ends(mixed, "1/1000", (-3, 3))}
    half_line = {"lower": end("499/1000", "501/1000"), "upper": end("oo", "501/1000")}
    for name, strict in (("relu", True), ("relu, closed", False)):
        yield name, chain_certificate([RELU], ["2", "3"], ["-1", "0"], half_line, strict=strict)
    yield (
        "hard_tanh",
        chain_certificate(
            [HARD_TANH],
            ["2", "-2"],
            ["0", "1/3"],
            {"lower": end("-167/1000", "-83/500"), "upper": end("167/500", "333/1000")},
            strict=False,
        ),
    )
    yield (
        "elu",
        chain_certificate(
            [ELU], ["-2", "2"], ["0", "0"], {"lower": end("-oo", "-1"), "upper": end("1", "1/100")}, threshold="3"
        ),
    )
    yield (
        "sigmoid, empty",
        chain_certificate(
            [SIGMOID], ["3", "3"], ["-3/2", "-3/2"], empty={"argument": "tangents", "places": ["2/5", "3/5"]}
        ),
    )
    yield (
        "elu, empty",
        chain_certificate([ELU], ["1", "1"], ["0", "0"], empty={"argument": "steepest", "slopes": ["1"]}),
    )
    yield (
        "relu, empty",
        chain_certificate([RELU], ["2", "-3"], ["0", "0"], empty={"argument": "between", "places": ["-oo", "oo"]}),
    )
    yield (
        "tanh, empty",
        chain_certificate([TANH], ["2", "0", "9"], ["0", "1", "0"], empty={"argument": "zero weight", "layer": 1}),
    )
    yield (
        "hard_tanh, empty",
        chain_certificate([HARD_TANH], ["9", "9"], ["0", "-11"], empty={"argument": "between", "places": ["-1", "2"]}),
    )
    falling = {"activation": None, "expression": "-z"}
    yield (
        "a falling layer, empty",
        chain_certificate(
            [falling, HARD_TANH],
            ["1", "1"],
            ["0", "0"],
            empty={"argument": "between", "places": ["-2", "2"]},
            threshold="2",
            numbers=[0, 1],
            cells=[[piece("-oo", "oo", "-z", -1)], CELLS["hard_tanh"]],
        ),
    )


VALID_CHAINS = dict(_valid())
