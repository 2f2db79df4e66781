"""The command for networks: which layer explodes, and why."""

from dataclasses import replace
from pathlib import Path

import click
import numpy as np

import gradtheory as gt
from gradtheory.arithmetic.inputs import Array
from gradtheory.cli.group import app, json_option
from gradtheory.cli.printing import write_text
from gradtheory.cli.words import language, said, said_lines
from gradtheory.document import Block, Document, Figure, Heading, Paragraph, Table, to_html
from gradtheory.errors import InvalidArgument

_PATH = click.Path(path_type=Path)


@app.command()
@click.argument("model", type=_PATH)
@click.option(
    "--data", metavar="FILE", type=click.Path(path_type=Path), required=True, help="The inputs, a row each: .npy."
)
@click.option("--targets", metavar="FILE", type=click.Path(path_type=Path), help="The targets, or the classes: .npy.")
@click.option(
    "--loss", metavar="LOSS", help="As softmax_cross_entropy; mse unless given, or that for targets that are classes."
)
@click.option(
    "--activation", metavar="ACT", default="tanh", show_default=True, help="That of every layer, for .safetensors."
)
@click.option(
    "--html", metavar="FILE", type=click.Path(path_type=Path), help="Write a page with pictures to this file."
)
@json_option
def audit(
    model: Path, data: Path, targets: Path | None, loss: str | None, activation: str, html: Path | None, as_json: bool
) -> None:
    """Say which layer of a network makes gradients explode or vanish, and why.

    MODEL is an ONNX file, or weights in a .safetensors file. For each dense layer the table shows by which factor the
    gradient grows on its way back (gain), what theory predicts for weights of that scale, what the slopes and what the
    weights contribute, the largest singular value, the share of samples on which the gradient grows, the mean square of
    the pre-activations, and the shares of saturated and of dead units.

    Without targets, gradients start from random ones at the output.

    Example: gradtheory audit model.onnx --data x.npy --targets y.npy --html report.html
    """
    x, y = _array(data, "data"), None if targets is None else _array(targets, "targets")
    if loss is None:
        are_classes = y is not None and y.ndim == 1 and y.dtype.kind in "iu"
        loss = "softmax_cross_entropy" if are_classes else "mse"
    if model.suffix == ".onnx":
        network = gt.Network.from_onnx(model, loss)
    else:
        network = gt.Network.from_weights(model, activation, loss)
    report = gt.audit(network, x, y)
    if html is not None:
        write_text(html, to_html(_said(report.document)), "html")
    click.echo(report.to_json() if as_json else said_lines(str(report)))


def _array(path: Path, name: str) -> Array:
    """Return the array of a .npy file; pickled objects in it are refused."""
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except OSError as error:
        raise InvalidArgument(name, str(path), f"cannot be read: {error.strerror or error}") from None
    except (ValueError, EOFError, MemoryError):  # MemoryError: a shape beyond all bounds
        raise InvalidArgument(
            name, str(path), "must be an array of numbers in a .npy file, as numpy.save writes"
        ) from None


def _said(document: Document) -> Document:
    """Return a document in the language of this run."""
    blocks: list[Block] = []
    for block in document.blocks:
        match block:
            case Heading() | Paragraph():
                blocks.append(replace(block, text=said(block.text)))
            case Table():
                blocks.append(replace(block, rows=tuple(tuple(map(said, row)) for row in block.rows)))
            case Figure():
                blocks.append(replace(block, caption=said(block.caption)))
    return replace(document, title=said(document.title), lang=language(), blocks=tuple(blocks))
