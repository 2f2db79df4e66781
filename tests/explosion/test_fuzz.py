"""A short run of the fuzz; `python -m tests.explosion.fuzz` makes a long one."""

import gradtheory as gt
from tests.explosion import fuzz


def test_no_membership_is_wrong(cases):
    counts, wrong = fuzz.run(checks=15 * cases, seed=2)
    assert not wrong
    assert counts["undecided"] < 10


def test_a_wrong_set_would_be_seen(monkeypatch):
    right = gt.explosion_set
    monkeypatch.setattr(gt, "explosion_set", lambda name, w, b, **kwargs: right(name, w, b + w / 10**6, **kwargs))
    assert fuzz.run(checks=300, seed=2)[1]
