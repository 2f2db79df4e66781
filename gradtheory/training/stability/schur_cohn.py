"""When all roots of a polynomial lie inside the unit circle, in terms of its coefficients."""

import sympy

from gradtheory.errors import InvalidArgument


def schur_cohn(polynomial: sympy.Poly) -> tuple[sympy.Expr, ...]:
    r"""Return the expressions that are all positive if and only if every root lies inside the unit circle.

    With p(z) = a_n zⁿ + … + a_0 and its reverse p*(z) = zⁿ p(1/z), the roots lie inside if and only if a_n² > a_0² and
    the roots of (a_n·p - a_0·p*)/z, of one degree less, lie inside. A factor that the coefficients of the latter share
    with a_n² - a_0², which is not 0, is divided out.

    Parameters
    ----------
    polynomial : sympy.Poly
        With real coefficients, which may hold symbols.

    Returns
    -------
    tuple of sympy.Expr
        One for each degree.

    Raises
    ------
    InvalidArgument
        If it is not a polynomial of degree 1 or more.

    References
    ----------
    E. Jury, Theory and Application of the z-Transform Method (1964), section 3.2; J. Schur, J. reine angew. Math. 147
    (1917), theorem XIV.

    Examples
    --------
    >>> z, a, b = sympy.symbols("z a b", real=True)
    >>> schur_cohn(sympy.Poly(z**2 + a*z + b, z))
    (1 - b**2, -a**2 + b**2 + 2*b + 1)

    """
    if not isinstance(polynomial, sympy.Poly) or polynomial.degree() < 1:
        raise InvalidArgument("polynomial", polynomial, "must be a sympy.Poly of degree 1 or more")
    positive = []
    coefficients = polynomial.all_coeffs()
    while len(coefficients) > 1:
        first, last = coefficients[0], coefficients[-1]
        positive.append(sympy.expand(first**2 - last**2))
        reduced = [
            sympy.expand(first * forward - last * backward)
            for forward, backward in zip(coefficients[:-1], coefficients[:0:-1], strict=True)
        ]
        coefficients = _without_shared_factor(reduced, positive[-1])
    return tuple(positive)


def _without_shared_factor(coefficients: list[sympy.Expr], difference: sympy.Expr) -> list[sympy.Expr]:
    shared = sympy.gcd_list([*coefficients, difference])
    return coefficients if shared.is_number else [sympy.cancel(each / shared) for each in coefficients]
