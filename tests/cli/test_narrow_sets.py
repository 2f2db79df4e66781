"""Ends that agree in many digits are told apart, and a command that is refused leaves no folder behind."""

import pytest

from gradtheory.cli import main


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("set sigmoid -w 1000 -b 1e9", "-1000000.00690575 < x < -999999.993094248, exactly"),
        (
            "set sigmoid -w 1e9 -b 1e20",
            "-100000000000.000000020723265835 < x < -99999999999.9999999792767341651, exactly",
        ),
        ("set tanh -w 1e300 -b 1e280", "x ≈ -1e-20, over a length of 6.92162e-298, exactly"),
        (
            "set --expr 2*z-tanh(10**30*(z-1))/10**30 -w 1 -c 3/2",
            "x < 0.999999999999999999999999999999 or x > 1.00000000000000000000000000000",
        ),
        ("set relu6 -w 1.5e323", "0 < x < 4E-323, exactly"),
        ("set exponential -w 1e-300 -b 1e300", "x > -1.00000E+600, exactly"),
    ],
)
def test_ends_are_told_apart(line, told, capsys):
    assert main(line.split()) == 0
    assert told in capsys.readouterr().out


def test_what_is_refused_makes_no_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["gains", "nonsense", "-o", "new"]) == 2
    assert not (tmp_path / "new").exists()
