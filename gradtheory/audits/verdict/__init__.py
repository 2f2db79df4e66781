"""The verdict of an audit, from what was measured: layers that stand out, and stretches that explode or vanish."""
