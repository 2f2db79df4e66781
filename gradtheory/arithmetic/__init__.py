"""Numbers: as callers give them, exact, in pairs of floats, and enclosed in balls with a proof."""
