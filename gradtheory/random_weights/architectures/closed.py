"""Which blocks have closed maps: where the stream is Gaussian, and new weights are independent of what it holds."""

from collections.abc import Sequence

from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.architectures.gated import Gated
from gradtheory.random_weights.architectures.layers import BatchNorm, Block, Dense, Residual


def refuse_without_maps(blocks: Sequence[Block]) -> None:
    """Refuse blocks of which variances and covariances alone do not say what they do; `simulate` takes them.

    W·f(z_s) and W·f(z_t) of two steps are correlated where W is the same, so that variances do not add where a stream
    holds the one and is given the other. Blocks with weights on the stream itself make a new one in each layer.
    """
    if not any(block.is_mixed for block in blocks) and any(_ends_tied(block) for block in blocks):
        raise InvalidArgument(
            "blocks",
            blocks,
            "have no closed maps: residual adds outputs of recurrent to a stream that holds earlier ones, and those of"
            " one W are correlated; simulate says what they do, or take dense, whose weights are new in each layer",
        )
    _is_gaussian(blocks, _is_gaussian(blocks, True))  # in the first layer, and in those behind it


def _ends_tied(block: Block) -> bool:
    return isinstance(block, Residual) and block.blocks[-1].is_tied


def _is_gaussian(blocks: Sequence[Block], before: bool) -> bool:
    """Return whether the stream behind blocks is Gaussian, if each may take what is in front of it."""
    for block in blocks:
        if isinstance(block, Residual):
            _is_gaussian(block.blocks, before)
        elif isinstance(block, Gated):
            before = False
        elif not before and (isinstance(block, BatchNorm) or (isinstance(block, Dense) and not block.is_linear)):
            raise InvalidArgument(
                "blocks",
                blocks,
                f"have no closed maps: behind gated_recurrent the stream is not Gaussian, as {block!r} has it;"
                " simulate says what they do, or put dense(), a linear layer, between",
            )
        elif block.is_mixed:
            before = True
    return before
