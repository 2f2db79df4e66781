"""The source article claim by claim, each with a verdict that is computed."""

from gradtheory.pages.article.article import Article, Section, build
from gradtheory.pages.article.claim import Claim, Finding, Verdict
from gradtheory.pages.article.claims import CLAIMS

__all__ = ["CLAIMS", "Article", "Claim", "Finding", "Section", "Verdict", "build"]


def __dir__() -> list[str]:
    return __all__
