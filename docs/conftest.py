"""Sphinx's own files hold no examples; the cases need torch, and are run by tests/peers."""

collect_ignore = ["conf.py", "dependencies.py", "_ext", "_static", "images", "cases"]
