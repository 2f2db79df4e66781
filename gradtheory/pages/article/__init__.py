"""The source article claim by claim, each with a verdict that is computed."""

from gradtheory.errors import public
from gradtheory.pages.article.article import Article, Section, build
from gradtheory.pages.article.claim import Claim, ClaimVerdict, Finding
from gradtheory.pages.article.claims import CLAIMS

__all__ = ["CLAIMS", "Article", "Claim", "ClaimVerdict", "Finding", "Section", "build"]


public(__name__)
