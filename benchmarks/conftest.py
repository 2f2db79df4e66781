"""Comparisons with peers: time both in turn, take minima, print one table and keep it in README.md."""

import os
import platform
import re
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

import cpuinfo
import pytest

_HERE = Path(__file__).parent
_TABLE = re.compile(r"(?<=<!-- table -->\n).*(?=<!-- end of table -->)", re.DOTALL)
_LEAST_ROUNDS, _MOST_ROUNDS = 5, 1_000
_ROWS = pytest.StashKey[list]()


@dataclass
class Row:
    """One comparison: two times in seconds, and a limit on either ours / peer or on ours alone."""

    topic: str
    name: str
    peer_name: str
    ours: float
    peer: float
    largest_ratio: float | None = None
    longest: float | None = None

    @property
    def met(self):
        on_ratio = self.largest_ratio is None or self.ours <= self.largest_ratio * self.peer
        return on_ratio and (self.longest is None or self.ours <= self.longest)

    def __str__(self):
        limits = [] if self.largest_ratio is None else [f"ratio ≤ {self.largest_ratio:g}"]
        limits += [] if self.longest is None else [f"ours ≤ {_duration(self.longest)}"]
        verdict = "yes" if self.met else "**missed**"
        times = f"{_duration(self.ours)} | {_duration(self.peer)} | {self.ours / self.peer:.3g}"
        return f"| {self.name} | {self.peer_name} | {times} | {', '.join(limits)} | {verdict} |"


@pytest.fixture
def report(request):
    """Add a row to the table; its arguments are those of Row without the topic."""

    def add(*args, **kwargs):
        row = Row(request.path.stem, *args, **kwargs)
        request.config.stash[_ROWS].append(row)
        return row

    return add


@pytest.fixture
def compare(benchmark, report):
    """Time ours and peer in turn for about `budget` seconds; a peer that alone takes longer runs once.

    `before` runs, untimed, before every call of either.
    """

    def run(name, ours, peer_name, peer, *, before=lambda: None, budget=5.0, **limits):
        def timed(call):
            before()
            start = perf_counter()
            call()
            return perf_counter() - start

        def peer_then_prepare():
            if repeat_peer:
                peer_times.append(timed(peer))
            before()

        peer_times = [timed(peer)]
        repeat_peer = peer_times[0] <= budget
        per_round = timed(ours) + repeat_peer * peer_times[0]
        rounds = min(max(_LEAST_ROUNDS, int(budget / per_round)), _MOST_ROUNDS)
        benchmark.pedantic(ours, setup=peer_then_prepare, rounds=rounds)
        return report(name, peer_name, benchmark.stats.stats.min, min(peer_times), **limits)

    return run


def pytest_configure(config):
    config.stash[_ROWS] = []


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    """Print the table; a complete run also writes it into README.md."""
    rows = config.stash[_ROWS]
    table = _table(rows)
    terminalreporter.write_line(f"\n{table}")
    is_complete = {row.topic for row in rows} == {path.stem for path in _HERE.glob("bench_*.py")}
    if is_complete and exitstatus == pytest.ExitCode.OK and not config.option.keyword:
        readme = _HERE / "README.md"
        readme.write_text(_TABLE.sub(lambda _: table, readme.read_text("utf-8")), "utf-8")


def _table(rows):
    names = {"NumPy": "numpy", "SymPy": "sympy", "python-flint": "python-flint", "torch": "torch"}
    packages = ", ".join(f"{name} {version(package)}" for name, package in names.items())
    cpu = cpuinfo.get_cpu_info().get("brand_raw", platform.machine())
    threads = os.environ.get("OMP_NUM_THREADS", "default")
    lines = [
        f"{cpu}, threads: {threads}, Python {platform.python_version()}, {packages}.",
        "",
        "| ours | peer | ours, time | peer, time | ratio | limit | met |",
        "|---|---|--:|--:|--:|---|---|",
        *map(str, rows),
    ]
    return "\n".join(lines) + "\n"


def _duration(seconds):
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"
