"""The import, in fresh processes and timed inside them."""

import subprocess
import sys


def bench_import(report):
    times = [(_import_time("gradtheory"), _import_time("numpy")) for _ in range(7)]
    ours, peer = map(min, zip(*times, strict=True))
    report("`import gradtheory`", "`import numpy`", ours, peer, largest_ratio=1.3)


def _import_time(package):
    code = f"from time import perf_counter as now; start = now(); import {package}; print(now() - start)"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout)
