"""How a sweep speeds up from one worker to two: what docs/scale.md shows.

python benchmarks/workers.py [POINTS]
"""

import os
import sys
import time

import numpy as np
from distributed import Client, LocalCluster

import gradtheory as gt

_REPEATS = 2


def measured(side: int) -> dict[int, list[float]]:
    """Return seconds of a sweep of side × side points in 16 blocks, by the number of workers, in turn."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    grid = {"sigma_w": np.linspace(0.5, 3.0, side), "sigma_b": np.linspace(0.05, 1.0, side)}
    for _ in range(_REPEATS):
        for workers, kept in seconds.items():
            with (
                LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
                Client(cluster) as client,
            ):
                few = (np.tile(np.linspace(low, high, 40), 40) for low, high in ((0.5, 3.0), (0.05, 1.0)))
                client.run(gt.meanfield.depth_scales, "tanh", *few)  # imports, and tables
                start = time.perf_counter()
                gt.sweep(gt.meanfield.depth_scales, grid, points=side * side // 16, activation="tanh")
                kept.append(time.perf_counter() - start)
    return seconds


if __name__ == "__main__":
    side = int(int(sys.argv[1]) ** 0.5) if len(sys.argv) > 1 else 200
    one, two = (sorted(each) for each in measured(side).values())
    print(f"{side * side} points, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"1 worker {one}, 2 workers {two}, in seconds")
    print(f"efficiency {one[0] / (2 * two[0]):.2f} by the least times")
