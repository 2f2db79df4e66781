"""Certified bounds of networks: spectral norms, ranges of layers, Jacobians on boxes, where they exceed a threshold.

All is float64 with its rounding errors counted, not switched rounding modes: |fl(A·B) - A·B| ≤ γ_n·|A|·|B| holds in
whatever order a BLAS sums (N. J. Higham, "Accuracy and Stability of Numerical Algorithms", 2002, section 3.5).
"""
