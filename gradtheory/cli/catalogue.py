"""Commands for the catalogue of activations."""

from pathlib import Path

import click

import gradtheory as gt
from gradtheory.cli.group import app, json_option
from gradtheory.cli.printing import plain, print_json, print_table, short, written
from gradtheory.cli.words import said


@app.command()
@json_option
def activations(as_json: bool) -> None:
    """List the catalogue: each activation, its slope, its critical weight and its widest explosion."""
    rows = [
        {"name": entry.record.name, "slope": str(entry.record.slope_expr)}
        | {name: getattr(entry, name) for name in ("steepest", "width", "weight", "guarantee")}
        for entry in gt.atlas.entries()
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(("activation", "slope", "sup|slope|", "widest width", "at |w|", "guarantee"), rows)


@app.command()
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Also write catalogue.md to this folder, with a picture of each activation.",
)
@json_option
def atlas(out: Path | None, as_json: bool) -> None:
    """Print the constants of every activation, with a line that shows the shape of |slope| from z = -6 to 6.

    Example: gradtheory atlas --out docs

    H/K is by how much depth widens explosion sets, as `gradtheory depth` says it, or a dash where it says nothing.
    """
    paths = [] if out is None else written(gt.atlas.write, out)
    columns = ("steepest", "critical", "width", "weight", "factor", "guarantee")
    rows = [
        {"name": entry.record.name, "sparkline": entry.sparkline} | {name: getattr(entry, name) for name in columns}
        for entry in gt.atlas.entries()
    ]
    if as_json:
        depth = ({name: getattr(entry, name) for name in ("depth_bound", "widens")} for entry in gt.atlas.entries())
        print_json([row | more for row, more in zip(rows, depth, strict=True)])
        return
    print_table(
        ("activation", "|slope|", "sup|slope|", "critical weight", "K", "at |w|", "H/K", "guarantee"),
        rows,
    )
    if out is not None:
        click.echo(said(f"Written: {paths[-1]} and {len(paths) - 1} pictures"))


@app.command()
@click.option(
    "--out", metavar="DIR", type=click.Path(path_type=Path), help="Also write the page gains.md to this folder."
)
@json_option
def gains(out: Path | None, as_json: bool) -> None:
    """Hold the gains that PyTorch recommends against the exact ones, forward and backward.

    Example: gradtheory gains
    """
    if out is not None:
        written(gt.gains.write, out)
    rows = [
        {
            "activation": gain.record.name,
            "pytorch": None if gain.stated is None else str(gain.stated),
            "forward": float(gain.exact.forward),
            "backward": float(gain.exact.backward),
            "variance": plain(gain.q),
            "chi": gain.chi,
            "float32_layers": plain(gain.depth),
        }
        for gain in gt.gains.entries()
    ]
    if as_json:
        print_json(rows)
        return
    titles = ("activation", "PyTorch's gain", "forward", "backward", "variance far down", "χ₁ there", "float32 lasts")
    print_table(titles, [{name: short(value) for name, value in row.items()} for row in rows])
