"""How formulas are written: in LaTeX and as text, in the order of the mathematics."""

from gradtheory.formulas.latex import LatexWriter, latex
from gradtheory.formulas.text import TextWriter, text
from gradtheory.formulas.written import WrittenProduct, WrittenSum, as_made

__all__ = ["LatexWriter", "TextWriter", "WrittenProduct", "WrittenSum", "as_made", "latex", "text"]
