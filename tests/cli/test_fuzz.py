"""Random command lines in the quick form: no traceback, exit codes 0, 1 and 2, one line for a mistake."""

import pytest

from gradtheory.cli.words import listen
from tests.cli import fuzz


def test_random_command_lines(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results = list(fuzz.outcomes(0, 40, tmp_path, dear=False))
    assert not [str(each) for each in results if each.fault]
    assert {0, 2} <= {each.code for each in results}


@pytest.mark.slow
@pytest.mark.minutes
def test_more_random_command_lines():
    assert fuzz.run(1, 100) == 0


@pytest.mark.parametrize(
    ("code", "said", "told"),
    [
        (3, "", "is no exit code of ours"),
        (2, "gradtheory: one\ngradtheory: two\n", "says"),
        (2, "gradtheory: w must be a number of sympy\n", "names SymPy"),
        (2, "gradtheory: w is wrong\n", "is in English"),
        (2, "gradtheory: w 的值无效：must be some number\n", "half in Chinese"),
        (ZeroDivisionError("0"), "", "ZeroDivisionError"),
    ],
)
def test_faults_are_told(monkeypatch, code, said, told):
    def main(asked):
        listen(asked)
        fuzz.click.echo(said, err=True, nl=False)
        if isinstance(code, Exception):
            raise code
        return code

    monkeypatch.setattr(fuzz, "main", main)
    assert told in fuzz.outcome(["set", "--lang", "zh"]).fault
