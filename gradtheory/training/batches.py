"""Minibatches: in each epoch all samples once, in an order that the seed decides; the last batch may be smaller."""

import itertools
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np

from gradtheory.arithmetic.inputs import read_count, read_seed

Rows: TypeAlias = slice | np.ndarray
_MOST = 10_000_000
ALL = slice(None)


class Batches:
    """Which samples each step takes.

    Parameters
    ----------
    samples : int
    batch_size : int, optional
        All samples in every step, in their order, unless given.
    seed : int
        Of the order.

    Examples
    --------
    >>> batches = Batches(5, 2, seed=0)
    >>> batches.per_epoch, sorted(np.concatenate([rows for rows, _ in zip(batches, range(3))]).tolist())
    (3, [0, 1, 2, 3, 4])

    """

    def __init__(self, samples: int, batch_size: Any = None, seed: Any = 0) -> None:
        self.samples, self.seed = samples, read_seed(seed)
        self.size = None if batch_size is None else read_count(batch_size, "batch_size", _MOST)

    @property
    def is_whole(self) -> bool:
        """Whether every step takes all samples."""
        return self.size is None or self.size >= self.samples

    @property
    def per_epoch(self) -> int:
        """How many steps see all samples."""
        return 1 if self.size is None or self.is_whole else -(-self.samples // self.size)

    @property
    def window(self) -> int:
        """How many steps in a row surely see all samples: one whole epoch is among them."""
        return 2 * self.per_epoch - 1

    def __iter__(self) -> Iterator[Rows]:
        if self.size is None or self.is_whole:
            yield from itertools.repeat(ALL)
            return
        generator = np.random.default_rng(self.seed)
        while True:
            order = generator.permutation(self.samples)
            for start in range(0, self.samples, self.size):
                yield order[start : start + self.size]
