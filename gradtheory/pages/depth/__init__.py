"""The page on depth: the theorem as a short paper, its table, its figures, and the numbers that were searched for."""

from gradtheory.pages.depth.page import page, write

__all__ = ["page", "write"]
