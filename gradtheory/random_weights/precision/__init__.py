"""Short float types: what they hold, which loss scales keep gradients within, and GradScaler's rule for finding one.

>>> range("float8_e4m3")
float8_e4m3fn: max 448, smallest normal 0.015625, smallest subnormal 0.00195312, eps 0.125 (exact)

"""

import numpy.typing as npt

from gradtheory.errors import public
from gradtheory.random_weights.floats import FloatType, read_float_type
from gradtheory.random_weights.precision.loss_scale import LossScale, loss_scale
from gradtheory.random_weights.precision.scaler import ScalerRun, grad_scaler
from gradtheory.random_weights.precision.sizes import GradientSizes

__all__ = ["FloatType", "GradientSizes", "LossScale", "ScalerRun", "grad_scaler", "loss_scale", "range"]


public(__name__)


def range(dtype: npt.DTypeLike = "float16") -> FloatType:
    r"""Return what a float type holds: its greatest number, its least ones, and the distance from 1 to the next.

    max = (2 - eps)·2^e_max, or (2 - 2·eps)·2^e_max where the last pattern is nan, as of float8_e4m3fn.

    Parameters
    ----------
    dtype : str or dtype of NumPy or ml_dtypes
        "float8_e4m3fn", "float8_e5m2", "float16", "bfloat16", "float32" or "float64". "float8_e4m3" is E4M3 of
        Micikevicius et al., that is float8_e4m3fn; ml_dtypes' dtype of that name is another, and is refused.

    Returns
    -------
    FloatType
        `.max`, `.smallest_normal`, `.smallest_subnormal`, `.eps`, exact; `.rounded(numbers)` rounds to it.

    Raises
    ------
    InvalidArgument
        If it is none of these.

    References
    ----------
    IEEE 754-2019, section 3.3; P. Micikevicius et al., "FP8 formats for deep learning" (2022), table 1; ml_dtypes.

    Examples
    --------
    >>> range("float16").max, range("bfloat16").eps, range("float8_e5m2").smallest_subnormal
    (65504.0, 0.0078125, 1.52587890625e-05)
    >>> range("float8_e4m3fn").rounded([0.3, 460, 500])
    array([3.125e-01, 4.480e+02,       nan])

    """
    return read_float_type(dtype)
