"""The two exceptions by which the code in the box speaks of a student's program."""

from __future__ import annotations

from typing import Any


class MissingName(Exception):  # noqa: N818 - read by students in messages; it is no "Error" of ours
    """A name that the handout asks for is not defined after the program ran.

    `cause` is the syntax error, as `describe` tells it, that kept Python from reading the code
    in which the name stands; None where there is none.
    """

    def __init__(self, message: str, cause: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.cause = cause


class StopProgram(BaseException):
    """Raised by a hook to end `load()` early; a `BaseException` so that `except Exception`
    in the student's code does not swallow it.
    """
