"""Every error a user can meet, as one line: what is wrong, where, and the remedy.

The command line prints `str(error)` and nothing else, so a message must stand on its
own. Theory: a bad input is an `InputError` (exit status 2), a fault of the grader or of
the machine is a `GraderError` (the submission becomes `ungradable`, never a zero).
"""

from __future__ import annotations

import signal
from pathlib import Path


class FiveBeatsError(Exception):
    """Base of all our errors; renders as `where: what (remedy)` on one line."""

    def __init__(
        self,
        what: str,
        *,
        where: str | Path | None = None,
        line: int | None = None,
        remedy: str | None = None,
    ) -> None:
        self.what = what
        self.where = None if where is None else str(where)
        self.line = line
        self.remedy = remedy
        super().__init__(what)

    def __str__(self) -> str:
        place = ""
        if self.where is not None:
            place = self.where + (f":{self.line}" if self.line is not None else "") + ": "
        remedy = f" ({self.remedy})" if self.remedy else ""
        return " ".join(f"{place}{self.what}{remedy}".split())


class InputError(FiveBeatsError):
    """What the user gave cannot be used: a path, an option, a file's contents."""


class ConfigError(InputError):
    """A configuration file is wrong; `where` is the file and `line` the line."""


class SourceError(InputError):
    """A source notebook breaks a rule of the source format."""


class SubmissionError(InputError):
    """One submission cannot be taken in (no file, two candidates, not a notebook)."""


class GraderError(FiveBeatsError):
    """The grader's own fault, or the machine's. Never a student's zero."""


class SandboxError(GraderError):
    """The box could not be built, died, or broke its protocol."""


class MachineLostError(SandboxError):
    """The machine that held a box is gone, whatever the box was doing: nothing was found out."""


class EvidenceError(GraderError):
    """Bytes from a box are not the evidence asked for: too large or of a wrong shape."""


class Stopped(BaseException):
    """A signal that asks the program to end: Ctrl-C, `kill`, a terminal that was closed."""

    def __init__(self, number: int = signal.SIGINT) -> None:
        self.number = number
        super().__init__(number)

    @property
    def status(self) -> int:
        """The exit status that says so, as shells have it."""
        return 128 + self.number
