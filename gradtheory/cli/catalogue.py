"""Commands for the catalogue of activations."""

from pathlib import Path
from typing import Any

import gradtheory as gt
from gradtheory.cli.group import app, folder_option, json_option
from gradtheory.cli.printing import print_json, print_table, say, short, write_folder
from gradtheory.cli.progress import counted
from gradtheory.cli.words import said


@app.command()
@json_option
def activations(as_json: bool) -> None:
    """List all activations with their slopes and widest explosions.

    Example: gradtheory activations --json
    """
    from gradtheory.formulas.text import text

    entries = counted(gt.atlas.entries(), "computing")
    if as_json:
        print_json(activations=[_constants(entry) | {"slope": str(entry.record.slope_expr)} for entry in entries])
    else:
        rows = [
            {"name": entry.record.name, "slope": text(entry.record.slope_expr)}
            | {name: getattr(entry, name) for name in ("steepest", "width", "weight", "guarantee")}
            for entry in entries
        ]
        print_table(("activation", "slope", "sup|slope|", "widest width", "at |w|", "guarantee"), rows)


@app.command()
@folder_option("Also write catalogue.md to this folder, with a picture of each activation.")
@json_option
def atlas(out: Path | None, as_json: bool) -> None:
    """Print the constants of all activations, with little pictures.

    Each is a line that shows the shape of |slope| from z = -6 to 6.

    Example: gradtheory atlas --out docs

    H/K is by how much depth widens explosion sets, as `gradtheory depth` says it, or a dash where it says nothing.
    """
    paths = [] if out is None else write_folder(gt.atlas.write, out)
    entries = list(counted(gt.atlas.entries(), "computing"))
    if as_json:
        print_json(activations=[_constants(entry) | _at_any_depth(entry) for entry in entries])
        return
    columns = ("steepest", "critical", "width", "weight", "factor", "guarantee")
    rows = [
        {"name": entry.record.name, "sparkline": entry.sparkline} | {name: getattr(entry, name) for name in columns}
        for entry in entries
    ]
    print_table(
        ("activation", "|slope|", "sup|slope|", "critical weight", "K", "at |w|", "H/K", "guarantee"),
        rows,
    )
    if out is not None:
        say(said(f"Written: {paths[-1]} and {len(paths) - 1} pictures"))


def _constants(entry: "gt.atlas.AtlasEntry") -> dict[str, Any]:
    """Return what a program is told of every activation, as numbers."""
    record, widest = entry.record, entry.widest
    return {
        "name": record.name,
        "steepest": record.steepest_slope,
        "critical": gt.critical_weight(record),
        "width": widest.width,
        "weight": widest.weight,
        "attained": widest.is_attained,
        "guarantee": widest.guarantee,
    }


def _at_any_depth(entry: "gt.atlas.AtlasEntry") -> dict[str, Any]:
    bound = entry.at_any_depth
    return {
        "depth_bound": bound.value,
        "widens": bound.widens,
        "factor": bound.factor,
        "reason": bound.reason,
        "sparkline": entry.sparkline,
    }


@app.command()
@folder_option("Also write the page gains.md to this folder.")
@json_option
def gains(out: Path | None, as_json: bool) -> None:
    """Hold the gains that PyTorch recommends against the exact ones.

    Example: gradtheory gains
    """
    if out is not None:
        write_folder(gt.gains.write, out)
    rows = [
        {
            "activation": gain.record.name,
            "pytorch": gain.stated,
            "forward": float(gain.exact.forward),
            "backward": float(gain.exact.backward),
            "variance": float(gain.q),
            "chi": gain.chi,
            "float32_layers": gain.depth,
        }
        for gain in counted(gt.gains.entries(), "computing")
    ]
    if as_json:
        print_json(activations=rows)
        return
    titles = ("activation", "PyTorch's gain", "forward", "backward", "variance far down", "χ₁ there", "float32 lasts")
    print_table(titles, [{name: short(value) for name, value in row.items()} for row in rows])
