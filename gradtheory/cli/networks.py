"""The command for networks: which layer explodes, and why."""

import functools
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import gradtheory as gt
from gradtheory.cli.group import ACTIVATION, PATH, app, expr_option, json_option, one_activation, options
from gradtheory.cli.printing import print_json, say, write
from gradtheory.cli.progress import counted, working
from gradtheory.cli.words import language, said, said_lines
from gradtheory.document.files import read_target
from gradtheory.errors import InvalidArgument

if TYPE_CHECKING:
    from gradtheory.arithmetic.inputs import Array
    from gradtheory.document import Document


_PAGES = ".html", ".htm"

network_options = options(
    click.argument("model", metavar="MODEL", type=PATH),
    click.option("--data", metavar="FILE", type=PATH, required=True, help="The inputs, a row each: .npy."),
    click.option("--targets", metavar="FILE", type=PATH, help="The targets, or the classes: .npy."),
    click.option(
        "--loss",
        metavar="LOSS",
        help="As softmax_cross_entropy; mse unless given, or that for targets that are classes.",
    ),
    click.option(
        "--activation", metavar="ACT", type=ACTIVATION, help="That of every layer, for .safetensors; tanh unless given."
    ),
    expr_option,
)


@app.command()
@network_options
@click.option("--html", metavar="FILE", type=PATH, help="Write a page with pictures to this file.")
@json_option
def audit(html: Path | None, as_json: bool, **asked: Any) -> None:
    """Say which layer makes gradients explode or vanish, and why.

    MODEL is an ONNX file, or weights in a .safetensors file. For each dense layer the table shows by which factor the
    gradient grows on its way back (gain), what theory predicts for weights of that scale, what the slopes and what the
    weights contribute, the largest singular value, the share of samples on which the gradient grows, the mean square of
    the pre-activations, and the shares of saturated and of dead units.

    Without targets, gradients start from random ones at the output.

    Example: gradtheory audit model.onnx --data x.npy --targets y.npy --html report.html
    """
    if html is not None:
        if html.suffix.lower() not in _PAGES:  # a slip would overwrite the data
            raise InvalidArgument("html", str(html), f"must end in one of {', '.join(_PAGES)}")
        read_target(html, "html")
    report = audited(**asked)
    if html is not None:
        from gradtheory.document import to_html

        write(html, to_html(_said(report.document)), "html")
    if as_json:
        print_json(**json.loads(report.to_json()))
    else:
        say(said_lines(report.table))
        with working():
            _ = report.remedies  # they are tried here, below the table
        say(said_lines(str(report).removeprefix(f"{report.table}\n")))


def audited(
    *, model: Path, data: Path, targets: Path | None, loss: str | None, activation: str | None, expr: str | None
) -> "gt.Audit":
    """Return the audit that the options ask for."""
    if loss is not None and targets is None:
        raise InvalidArgument("loss", loss, "is used with --targets only")
    x, y = _array(data, "data"), None if targets is None else _array(targets, "targets")
    if loss is None:
        are_classes = y is not None and y.ndim == 1 and y.dtype.kind in "iu"
        loss = "softmax_cross_entropy" if are_classes else "mse"
    network = read_network(model, activation, expr, loss)
    try:
        return gt.audit(network, x, y, progress=functools.partial(counted, what="kinds of remedies"))
    except InvalidArgument as error:
        argument, dot, part = error.name.partition(".")
        name = {"x": "data", "y": "targets"}.get(argument, argument)
        raise InvalidArgument(f"{name}{dot}{part}", error.value, error.rule) from None


def read_network(model: Path, activation: str | None, expr: str | None, loss: str = "mse") -> "gt.Network":
    """Return the network in a file, whose activation is asked for where the file does not state it."""
    record = one_activation(activation, expr, "tanh")
    try:
        is_onnx = model.suffix == ".onnx"
        return gt.Network.from_onnx(model, loss) if is_onnx else gt.Network.from_weights(model, record, loss)
    except InvalidArgument as error:
        if error.name not in ("path", "weights"):
            raise
        raise InvalidArgument("model", str(model), error.rule) from None


def _array(path: Path, name: str) -> "Array":
    """Return the array of a .npy file; pickled objects in it are refused."""
    import numpy as np

    try:
        array = np.load(path, allow_pickle=False)
    except OSError as error:
        raise InvalidArgument(name, str(path), f"cannot be read: {error.strerror or error}") from None
    except (ValueError, EOFError, MemoryError):  # MemoryError: a shape beyond all bounds
        raise InvalidArgument(
            name, str(path), "must be an array of numbers in a .npy file, as numpy.save writes"
        ) from None
    if not isinstance(array, np.ndarray):  # an archive, which is unpacked when it is asked for more
        array.close()
        raise InvalidArgument(name, str(path), "is a .npz file of several arrays: write the one by numpy.save, as .npy")
    return array


def _said(document: "Document") -> "Document":
    """Return a document in the language of this run."""
    from gradtheory.document import Block, Figure, Heading, Paragraph, Table

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
