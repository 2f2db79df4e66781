"""The functions that records name in other libraries, such as "jax.nn.gelu(approximate=True)"."""

import ast
import functools
import inspect
import pydoc
import re

import gradtheory as gt

_CALL = re.compile(r"(?P<path>[\w.]+)(\((?P<arguments>.*)\))?")


def named(text):
    """Return the function that a text names, with the parameters written behind it."""
    match = _CALL.fullmatch(text)
    function = pydoc.locate(match["path"])
    assert function is not None, f"there is no {text}"
    if inspect.isclass(function):
        return function()
    pairs = (part.split("=") for part in match["arguments"].split(",")) if match["arguments"] else ()
    return functools.partial(function, **{key.strip(): ast.literal_eval(value) for key, value in pairs})


def paths(library):
    """Return the dotted names, without parameters, that the records give for a library."""
    peers = (gt.activation(name).peers.get(library) for name in gt.activation_names())
    return {_CALL.fullmatch(text)["path"] for text in peers if text}
