"""Pages in narrow windows: a wide table scrolls within itself, and the page does not."""

import re

from gradtheory.document import Document, Formula, Table, to_html


def test_tables_scroll_in_narrow_windows():
    page = to_html(Document(title="a", subtitle="", lang="en", blocks=(Table((("1", "2"),)),)))
    (rule,) = (line for line in page.splitlines() if line.startswith("@media (max-width"))
    assert ".table { display: block; overflow-x: auto; }" in rule


def _page(left, right):
    return to_html(Document(title="a", subtitle="", lang="en", blocks=(Formula(((left, right),), lambda: ""),)))


def test_long_products_break_between_their_factors():
    page = _page("a", r"= \left(b \cdot c\right) \cdot d \cdot \frac{e \cdot f}{2} \cdot g")
    assert page.count("<math") == 4
    assert page.count("<wbr>") == 3
    assert len(re.findall(r'<mrow><mo form="infix" lspace="0.22em" rspace="0.22em">&#x000B7;</mo>', page)) == 3
    assert _page("a", r"= b \cdot c \cdot d").count("<math") == 1


def test_a_shadow_shows_that_there_is_more():
    assert "background-attachment: local, local, scroll, scroll" in _page("a", "= b")
