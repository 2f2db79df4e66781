"""Functions of two arrays for the tests of sweeps; another process imports them, and a run of them can be killed."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import gradtheory as gt

GRID = {"x": np.linspace(0.0, 1.0, 8), "y": np.linspace(1.0, 2.0, 6)}
POINTS = 4


@dataclass(frozen=True)
class Record:
    total: Any
    is_large: Any
    inner: dict[str, Any]
    reason: str = ""


def record(x, y, scale=1.0):
    powers = np.stack([x, x * y], axis=-1)
    return Record(gt.Estimates(scale * x + y, 1e-3), x > 0.5, {"product": x * y, "powers": powers})


def slow(x, y):
    """Write a line for every call, and take a while."""
    log = Path(os.environ["SWEPT_LOG"])
    with log.open("a") as lines:
        lines.write(f"{x[0, 0]} {y[0, 0]} {x.size}\n")
    time.sleep(float(os.environ.get("SWEPT_SECONDS", "0")))
    return x - y


def drawn(x, seed):
    return np.random.default_rng(seed).normal(size=x.shape)
