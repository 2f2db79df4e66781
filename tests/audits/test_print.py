"""What is printed of an audit: the table at once, and remedies once they were tried."""

from dataclasses import replace

import gradtheory as gt
from gradtheory.audits.report.report import AdviceRun
from gradtheory.document.translation import in_language
from gradtheory.training.advice import NetworkAdvice
from tests.audits.test_audit import healthy

_HINT = "report.remedies tries what helps"


def test_printing_a_report_trains_nothing():
    asked = []

    def advise():
        asked.append(True)
        return NetworkAdvice((), "nothing helps", None)

    report = replace(gt.audit(*healthy(1)), trial=AdviceRun(advise, "", "Tried."))
    assert str(report) == f"{report.table}\n\n{_HINT}"
    assert in_language(_HINT, "zh") != _HINT
    assert not asked
    assert report.remedies == ()
    assert str(report) == f"{report.table}\n\nnothing helps"
    assert asked == [True]


def test_why_nothing_is_tried_is_printed_at_once():
    report = gt.audit(*healthy(1))
    assert str(report) == f"{report.table}\n\nno remedy is tried: nothing is wrong"
