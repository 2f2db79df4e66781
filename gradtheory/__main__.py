"""`python -m gradtheory` is the command `gradtheory`."""

from gradtheory.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
