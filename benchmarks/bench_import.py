"""The import, in fresh processes and timed inside them; the command line, by the CPU time of whole processes."""

import resource
import subprocess
import sys


def bench_import(report):
    times = [(_import_time("gradtheory"), _import_time("numpy")) for _ in range(7)]
    ours, peer = map(min, zip(*times, strict=True))
    report("`import gradtheory`", "`import numpy`", ours, peer, largest_ratio=1.3)


def _import_time(package):
    code = f"from time import perf_counter as now; start = now(); import {package}; print(now() - start)"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout)


def bench_version(report):
    report("`gradtheory --version`, CPU", "`import sympy`, CPU", _cpu("--version"), _cpu(), longest=0.15)


def bench_set(report):
    report(
        "`gradtheory set sigmoid -w 7`, CPU",
        "`import sympy`, CPU",
        _cpu("set", "sigmoid", "-w", "7"),
        _cpu(),
        largest_ratio=1.3,
    )


def _cpu(*arguments):
    """Return the least CPU time of seven processes that run a command, or import SymPy where there is none."""
    code = "import sys; from gradtheory.cli import main; sys.exit(main())" if arguments else "import sympy"
    times = []
    for _ in range(7):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return min(times)
