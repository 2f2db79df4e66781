"""Sphinx's own files hold no examples, and need what `make test` does not install."""

collect_ignore = ["conf.py", "_ext", "images"]
