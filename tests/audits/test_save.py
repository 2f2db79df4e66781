"""The report of an audit as a file."""

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.errors import InvalidArgument


def test_a_report_is_saved_in_the_format_of_its_suffix(tmp_path):
    rng = np.random.default_rng(0)
    w = [rng.normal(0.0, 0.5, (4, 4)) for _ in range(3)]
    report = gt.audit(gt.Network((4,) * 4, "relu", w=w, b=[np.zeros(4)] * 3), rng.normal(size=(5, 4)))
    path = report.save(tmp_path / "out" / "report.txt")
    assert report.cause in path.read_text(encoding="utf-8")
    with pytest.raises(InvalidArgument, match=r"must end in one of \.tex"):
        report.save(tmp_path / "report.doc")
