"""Pages of the documentation that are written by the code, from the templates of the package."""

from typing import Any

from gradtheory.errors import extra


def page(template: str, **values: Any) -> str:
    """Return a page of Markdown."""
    with extra("documents"):
        import jinja2
    environment = jinja2.Environment(  # noqa: S701  # Markdown, from our own records only
        loader=jinja2.PackageLoader("gradtheory.pages"), undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    return environment.get_template(template).render(**values)
