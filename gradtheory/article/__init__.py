"""The source article claim by claim, each with a verdict that is computed."""

from gradtheory.article.claims import CLAIMS, Claim, Finding, Verdict
from gradtheory.article.document import Document, build
from gradtheory.article.render import to_html, to_latex, write

__all__ = ["CLAIMS", "Claim", "Document", "Finding", "Verdict", "build", "to_html", "to_latex", "write"]
