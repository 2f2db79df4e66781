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
_PACKAGES = {"NumPy": "numpy", "SymPy": "sympy", "python-flint": "python-flint", "torch": "torch"}
_ROWS = []


@dataclass
class Row:
    """One comparison: two times in seconds, and a limit on ours / peer or on ours alone."""

    topic: str
    name: str
    peer_name: str
    ours: float
    peer: float
    largest_ratio: float | None = None
    longest: float | None = None

    def __str__(self):
        if self.longest is None:
            limit, met = f"ratio ≤ {self.largest_ratio:g}", self.ours <= self.largest_ratio * self.peer
        else:
            limit, met = f"ours ≤ {_duration(self.longest)}", self.ours <= self.longest
        times = f"{_duration(self.ours)} | {_duration(self.peer)} | {self.ours / self.peer:.3g}"
        return f"| {self.name} | {self.peer_name} | {times} | {limit} | {'yes' if met else '**missed**'} |"


@pytest.fixture
def report(request):
    """Add a row to the table and return it; the arguments are those of Row without the topic."""

    def add(*args, **kwargs):
        _ROWS.append(Row(request.path.stem, *args, **kwargs))
        return _ROWS[-1]

    return add


@pytest.fixture
def compare(benchmark, report):
    """Time ours and peer in turn for about `budget` seconds; a peer that alone takes longer runs once.

    `before` runs, untimed, before every call of either.
    """

    def run(name, ours, peer_name, peer, *, before=lambda: None, budget=5.0, **limit):
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
        one_round = timed(ours) + repeat_peer * peer_times[0]
        benchmark.pedantic(ours, setup=peer_then_prepare, rounds=min(max(5, int(budget / one_round)), 1000))
        return report(name, peer_name, benchmark.stats.stats.min, min(peer_times), **limit)

    return run


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    """Print the table; a complete run also writes it into README.md."""
    table = _table()
    terminalreporter.write_line(f"\n{table}")
    every_topic = {row.topic for row in _ROWS} == {path.stem for path in _HERE.glob("bench_*.py")}
    if every_topic and exitstatus == pytest.ExitCode.OK and not config.option.keyword:
        readme = _HERE / "README.md"
        readme.write_text(_TABLE.sub(lambda _: table, readme.read_text("utf-8")), "utf-8")


def _table():
    cpu = cpuinfo.get_cpu_info().get("brand_raw", platform.machine())
    threads = os.environ.get("OMP_NUM_THREADS", "default")
    packages = ", ".join(f"{name} {version(package)}" for name, package in _PACKAGES.items())
    lines = [
        f"{cpu}, threads: {threads}, Python {platform.python_version()}, {packages}.",
        "",
        "| ours | peer | ours, time | peer, time | ratio | limit | met |",
        "|---|---|--:|--:|--:|---|---|",
        *map(str, _ROWS),
    ]
    return "\n".join(lines) + "\n"


def _duration(seconds):
    unit, size = next(each for each in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)) if seconds >= each[1])
    return f"{seconds / size:.3g} {unit}"
