"""The page on security states the limits that the code has."""

from pathlib import Path

import pytest

import gradtheory as gt
from gradtheory.activations import text
from gradtheory.checker import file, reading
from gradtheory.networks.readers import files, onnx_file, weights

_PAGE = " ".join((Path(__file__).parent.parent / "SECURITY.md").read_text(encoding="utf-8").split())


@pytest.mark.parametrize(
    "said",
    [
        f"at most {text._LONGEST_TEXT:,} characters of plain ASCII",
        f"nested at most {text._DEEPEST} levels deep",
        f"with {text._MOST_OPERATIONS} operations",
        f"exponents up to {text._LARGEST_EXPONENT}",
        f"at most {file._LARGEST_FILE // 10**6} MB",
        f"at most {files.MOST_BYTES >> 30} GiB",
        f"at most {onnx_file._MOST_OPERATORS:,} operators",
        f"a safetensors file {weights._MOST_TENSORS:,} tensors",
        f"2^{onnx_file._MOST_ENTRIES.bit_length() - 1} entries",
        f"({', '.join(f'`{suffix}`' for suffix in weights._PICKLES)})",
    ],
)
def test_the_page_states_the_limits_of_the_code(said):
    assert said in _PAGE
    assert (text._LONGEST_TEXT, text._DEEPEST) == (reading._LONGEST_TEXT, reading._DEEPEST)


@pytest.mark.parametrize("suffix", weights._PICKLES)
def test_pickles_are_refused_before_they_are_opened(suffix):
    with pytest.raises(gt.errors.InvalidArgument, match="is a pickle, which may run code"):
        gt.Network.from_weights(f"missing{suffix}", "tanh")
