"""Documents: one model, and a leaf for each format. Nothing is computed here."""

from gradtheory.document.formats import save_figures, to_html, to_latex, to_markdown, to_notebook, to_text
from gradtheory.document.model import Block, Code, Document, Figure, Formula, Heading, Paragraph, Table
from gradtheory.document.saving import FORMATS, read_folder, render, save

__all__ = [
    "FORMATS",
    "Block",
    "Code",
    "Document",
    "Figure",
    "Formula",
    "Heading",
    "Paragraph",
    "Table",
    "read_folder",
    "render",
    "save",
    "save_figures",
    "to_html",
    "to_latex",
    "to_markdown",
    "to_notebook",
    "to_text",
]
