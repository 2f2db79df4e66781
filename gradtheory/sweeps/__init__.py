"""Sweeps: a function over a whole grid, chunk by chunk, by whatever scheduler of Dask is current."""

from gradtheory.sweeps.sweep import sweep

__all__ = ["sweep"]
