"""Published numbers, each computed again: the page of the documentation that compares them."""

from gradtheory.pages.literature.numbers import NUMBERS
from gradtheory.pages.literature.record import Published
from gradtheory.pages.literature.writing import page, write

__all__ = ["NUMBERS", "Published", "page", "write"]
