"""Forgeries of what the checker came to prove later are refused, in one line and soon."""

import copy
import json

import pytest

import gradtheory as gt
from gradtheory import checker
from gradtheory.errors import InvalidArgument
from tests.checker.certificates import VALID
from tests.checker.later_forgeries import LATER_FORGERIES


@pytest.mark.parametrize("key", LATER_FORGERIES)
def test_later_forgeries_are_not_verified(key):
    report = checker.check(LATER_FORGERIES[key])
    assert not report.ok
    assert report.verdict == "not verified"
    assert "\n" not in report.reason


@pytest.mark.parametrize(
    "text",
    [
        '{"a":' * 100_000,
        '{"a":' * 100_000 + "1" + "}" * 100_000,
        "[" * 100_000 + "]" * 100_000,
        json.dumps(VALID["relu"])[:-1] + ', "domain": ["0", "1"]}',
        json.dumps(VALID["relu"]).replace('"weight": ', '"weight": "8", "weight": '),
        json.dumps(VALID["relu"]).replace('"weight": ', '"w\\u0065ight": "8", "weight": '),
        json.dumps(VALID["relu"]).replace('"rises": null', '"rises": NaN'),
        json.dumps(VALID["relu"]).replace('"rises": null', '"rises": -Infinity'),
        json.dumps(VALID["relu"]) + "{}",
        "\ufeff\ufeff" + json.dumps(VALID["relu"]),
        json.dumps([VALID["relu"]] * 2),
    ],
)
def test_files_with_repeated_keys_or_depth_are_refused_in_one_line(text, tmp_path):
    path = tmp_path / "certificate.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidArgument) as error:
        checker.read(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("repeating", "undefined"),
    [
        ("sqrt(2 + sin(z))", "acosh(z + 1000) - log(z + 1000 + sqrt((z + 1000)**2 - 1))"),
        ("1/(2 + sin(z))", "atanh(z/1000) - log(1 + z/1000)/2 + log(1 - z/1000)/2"),
        ("log(2 + cos(z))", "1/(z - 50) - (z + 50)/(z**2 - 2500)"),
    ],
)
def test_what_repeats_is_defined_beyond_the_period(repeating, undefined):
    honest = json.loads(json.dumps(gt.certificate(gt.expression(repeating), 3)))
    assert checker.check(honest).ok
    forged = copy.deepcopy(honest)
    forged["claim"]["expression"] += f" + {undefined}"  # which is 0 wherever it is defined, and on the period
    assert (
        checker.check(forged).reason
        == "undecided: tails: that the expression is defined beyond the period is not proven"
    )
