"""How the steps of derivations are shown: `python -m tests.derivation.how_shown` writes the tables of docs/guarantees.md.

The second table is of the whole catalogue, which takes a quarter of an hour; `python -m tests.derivation.how_shown explosion depth` counts
these topics alone.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import gradtheory as gt
from gradtheory.derivation import Step
from gradtheory.derivation.topics import TOPICS
from gradtheory.derivation.unproven import obstacle
from gradtheory.document.messages import words
from gradtheory.training.optimisers.catalogue import RULES
from tests.derivation.derived import derived

PAGE = Path(__file__).parents[2] / "docs" / "guarantees.md"
HEAD = "| topic | exact | certified | numeric |\n|---|---|---|---|\n"
HEAD_OF_ALL = "| topic | derivations | exact | certified | numeric |\n|---|---|---|---|---|\n"
WORDS = ("exact", "certified", "numeric")
_PROOF = {"en": ("proof", "proven", "proves"), "zh": ("证明", "已证", "严格验证")}


def row(topic: str) -> str:
    """Return how many steps of a topic are exact, certified and numeric, for what it is derived for unless stated."""
    return _row(topic, Counter(step.verdict.status for step in derived(topic).steps))


def derivations(topic: str, activations: Iterable[str]) -> Iterator[tuple[Step, ...]]:
    """Yield the steps of a topic for every activation, or every optimiser, that it is derived for; or once."""
    if not TOPICS[topic].arguments:
        yield gt.derive(topic).steps
        return
    for name in RULES if topic == "stability" else activations:
        subject = {"optimiser" if topic == "stability" else "activation": name}
        if topic != "depth" or gt.depth_bound(name).is_in_class_n:
            yield derived(topic, **subject).steps


def row_of_all(topic: str) -> str:
    """Return how many steps of a topic are exact, certified and numeric over the whole catalogue."""
    answers = list(derivations(topic, gt.activation_names()))
    return _row(f"{topic} | {len(answers)}", Counter(step.verdict.status for steps in answers for step in steps))


def numeric_share() -> float:
    """Return the share of numeric steps that the page states, over all topics."""
    counts = [
        list(map(int, row))
        for row in re.findall(r"^\| \w+ \| \d+ \| (\d+) \| (\d+) \| (\d+) \|$", PAGE.read_text("utf-8"), re.M)
    ]
    return sum(row[2] for row in counts) / sum(map(sum, counts))


def assert_said(step: Step) -> None:
    """Check that a numeric step says what stands in the way of a proof, and nothing of one."""
    for lang, words_of_proof in _PROOF.items():
        catalogue = words(lang)
        reasons = catalogue["rules"][step.rule], catalogue["numeric"][obstacle(step.statement)]
        assert not [reason for reason in reasons if any(word in reason for word in words_of_proof)]


def _row(name: str, counts: Counter[str]) -> str:
    return f"| {name} | {' | '.join(str(counts.pop(word, 0)) for word in WORDS)} |\n" + "".join(counts)


def _written(page: str, head: str, topic: str, line: str) -> str:
    """Return a page with a row of a table in the place of the one of that topic."""
    before, _, after = page.partition(head)
    return before + head + re.sub(rf"^\| {topic} \|.*\n", line, after, count=1, flags=re.M)


if __name__ == "__main__":
    page = PAGE.read_text("utf-8")
    for topic in sys.argv[1:] or TOPICS:
        page = _written(page, HEAD, topic, row(topic))
        page = _written(page, HEAD_OF_ALL, topic, row_of_all(topic))
        PAGE.write_text(page, "utf-8")
