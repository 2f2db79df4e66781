"""Pages in narrow windows: a wide table scrolls within itself, and the page does not."""

from gradtheory.document import Document, Table, to_html


def test_tables_scroll_in_narrow_windows():
    page = to_html(Document(title="a", subtitle="", lang="en", blocks=(Table((("1", "2"),)),)))
    (rule,) = (line for line in page.splitlines() if line.startswith("@media (max-width"))
    assert ".table { display: block; overflow-x: auto; }" in rule
