"""The import, in fresh processes and timed inside them; the command line, by the CPU time of whole processes."""

import os
import resource
import subprocess
import sys

_COMPILED = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}  # as installed


def bench_import(report):
    times = [(_import_time("gradtheory"), _import_time("numpy")) for _ in range(7)]
    ours, peer = map(min, zip(*times, strict=True))
    report("`import gradtheory`", "`import numpy`", ours, peer, largest_ratio=1.3)


def _import_time(package):
    code = f"from time import perf_counter as now; start = now(); import {package}; print(now() - start)"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout)


def bench_version(report):
    report("`gradtheory --version`, CPU", "`import sympy`, CPU", *_cpu("--version"), longest=0.15)


def bench_set(report):
    report(
        "`gradtheory set sigmoid -w 7`, CPU",
        "`import sympy`, CPU",
        *_cpu("set", "sigmoid", "-w", "7"),
        largest_ratio=1.3,
    )


def _cpu(*arguments):
    """Return the least CPU times of ten processes that run a command, and of ten that import SymPy, in turn."""
    ours, peer = "import sys; from gradtheory.cli import main; sys.exit(main())", "import sympy"
    pairs = [(_cpu_of(ours, *arguments), _cpu_of(peer)) for _ in range(10)]
    return map(min, zip(*pairs, strict=True))


def _cpu_of(code, *arguments):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True, env=_COMPILED)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
