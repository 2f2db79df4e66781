"""The command that opens the explorer."""

import click

from gradtheory.cli.group import app
from gradtheory.cli.progress import quiet
from gradtheory.cli.words import language


@app.command()
@click.option(
    "--port", metavar="N", type=click.IntRange(0, 65535), default=0, help="Where to listen; a free port unless given."
)
@click.option("--no-browser", is_flag=True, help="Print the address only.")
def explore(port: int, no_browser: bool) -> None:
    """Open a page with sliders in the browser.

    It shows explosion sets, chains and phases while you move them.

    Example: gradtheory explore --lang zh

    The page is served to this machine alone, and needs no network. End it with Ctrl-C.
    """
    from gradtheory.explorer.server import explore as serve

    quiet()
    serve(port, f"?lang={language()}", opens=not no_browser)
