"""SymPy functions whose digits are proven, where SymPy's own lose them.

`.n()` of log(1 + 1e-30) is 0 in SymPy, which rounds the argument first; mpmath's Lambert W loses all digits near the
branch point -1/e. Explosion sets just above the critical weight end in such numbers.
"""

from typing import Any

import sympy

from gradtheory import enclosure


class _Proven:
    """Evaluate by ball arithmetic; print as the function this one refines."""

    args: tuple[sympy.Expr, ...]
    refines: Any
    is_real = True

    def enclosure(self, bits: int, at: enclosure.Balls) -> enclosure.Ball:
        """Return a ball around the number, computed with `bits` bits."""
        return enclosure.function_of(self.refines)(*(enclosure.evaluate(each, bits, at) for each in self.args))

    @property
    def _plain(self) -> sympy.Expr:
        return self.refines(*self.args, evaluate=False)

    def _eval_evalf(self, prec: int) -> sympy.Float:
        return enclosure.rounded(self, prec)

    def _sympystr(self, printer: Any) -> str:
        return str(printer._print(self._plain))

    def _latex(self, printer: Any) -> str:
        return str(printer._print(self._plain))


class RealLambertW(_Proven, sympy.LambertW):  # type: ignore[misc]  # SymPy's classes are untyped
    """A real branch of Lambert's W: branch 0 unless -1 is given as second argument."""

    refines = sympy.LambertW


class RealLog(_Proven, sympy.log):  # type: ignore[misc]  # SymPy's classes are untyped
    """The logarithm of a positive number."""

    refines = sympy.log
