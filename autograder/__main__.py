"""`python -m autograder` is the command `autograder`."""

from __future__ import annotations

from .cli.main import main

if __name__ == "__main__":
    main()
