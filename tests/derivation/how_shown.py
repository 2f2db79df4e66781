"""How the steps of derivations are shown: `python -m tests.derivation.how_shown` writes the table of docs/guarantees.md."""

import re
from collections import Counter
from pathlib import Path

import gradtheory as gt
from gradtheory.derivation.topics import TOPICS

PAGE = Path(__file__).parents[2] / "docs" / "guarantees.md"
HEAD = "| topic | exact | certified | numeric |\n|---|---|---|---|\n"
_TABLE = re.compile(r"@TABLE@|" + re.escape(HEAD) + r"(?:\|.*\n)*")


def row(topic: str) -> str:
    """Return how many steps of a topic are exact, certified and numeric, for what it is derived for unless stated."""
    counts = Counter(step.verdict.status for step in gt.derive(topic).steps)
    return (
        f"| {topic} | {counts.pop('exact', 0)} | {counts.pop('certified', 0)} | {counts.pop('numeric', 0)} |\n"
        + "".join(counts)
    )


if __name__ == "__main__":
    PAGE.write_text(_TABLE.sub(HEAD + "".join(map(row, TOPICS)), PAGE.read_text("utf-8"), count=1), "utf-8")
