"""No box at all: the same template and probes in an ordinary process.

For a student's own check of their own code. It stops nothing: use it only on code you
trust as much as your own.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

from ..model import Job
from .base import ENVIRONMENT, Template, TemplateBox, inside_folder, living, start_command

_KEEP = ("PATH", "HOME", "USER", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


class Plain:
    """Makes unsealed boxes, each with a temporary working folder."""

    name = "none"

    def __init__(self) -> None:
        self._template: Template | None = None
        self._lock = threading.Lock()

    def _start(self) -> Template:
        control, theirs = socket.socketpair()
        log = tempfile.TemporaryFile()  # noqa: SIM115 - the template's, closed with it
        scratch = {k: v for k, v in ENVIRONMENT.items() if k not in _KEEP}
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "five-beats"
        scratch["MPLCONFIGDIR"] = str(cache / "matplotlib")
        scratch["IPYTHONDIR"] = str(cache / "ipython")
        kept = {k: os.environ[k] for k in _KEEP if k in os.environ}
        kept |= {"FIVE_BEATS_CONTROL": str(theirs.fileno()), "FIVE_BEATS_WALL": "none"}
        process = subprocess.Popen(
            start_command(inside_folder().parent),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(theirs.fileno(),),
            env={**scratch, **kept},
        )
        theirs.close()
        return Template(process, control, log)

    def open(self, job: Job) -> TemplateBox:
        """A working folder with the job's files, and a process to run them in."""
        home = tempfile.mkdtemp(prefix="five-beats-")
        if job.data is not None:
            os.symlink(job.data.resolve(), os.path.join(home, "data"))
        with self._lock:
            template = self._template = living(self._template, self._start)
        message = {"home": home}
        return template.open(job, message, lambda: shutil.rmtree(home, ignore_errors=True))

    def close(self) -> None:
        """End the template."""
        if self._template is not None:
            self._template.close()
            self._template = None

    def __enter__(self) -> Plain:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
