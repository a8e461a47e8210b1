"""What a grade depends on beside the submission and the assignment's own text.

A class is graded anew where any of it is another than before (`results/store.py`), and only there:
versions, the code that runs a program and judges it, the kind of box, the device, the images and
the limits. A page, a table or a word on the terminal is none of it.
"""

from __future__ import annotations

import hashlib
import platform
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from .. import __version__
from ..model import Limits

PACKAGE = Path(__file__).resolve().parent.parent
JUDGING = (
    "authoring/master.py",  # how the reference, whose answers are judged too, is read
    "bugs.py",
    "checks/",
    "course/config.py",
    "course/folder.py",
    "course/images.py",
    "errors.py",
    "grading/calibration.py",
    "grading/environment.py",
    "grading/expected.py",
    "grading/grader.py",
    "inside/",
    "model.py",
    "results/files.py",  # how the reference's answers are kept
    "sandbox/",
    "text.py",
    "watch/findings/",
)
"""The modules, and rooms with all their modules, that a verdict can depend on: what
`grading.grader` and the code in the box import, directly or not.
"""


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """The versions that ran a submission, by name; "missing" for a package that is not there."""
    found = {"autograder": __version__, "python": platform.python_version()}
    for package in ("torch", "torchvision", "numpy"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "missing"
    return found


def code_digest(package: Path = PACKAGE) -> str:
    """A short name for the code in `JUDGING`, so that a changed judge grades anew."""
    h = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        module = path.relative_to(package).as_posix()
        if module.startswith(JUDGING):
            h.update(f"{module}\n".encode())
            h.update(path.read_bytes())
    return h.hexdigest()[:16]


def environment(
    *, sandbox: str, device: str, data: str, limits: Limits, own: str, threshold: str = ""
) -> dict[str, str]:
    """All of it as plain data. `data` is the fingerprint of the images, "" where there are none;
    `own` names what is the assignment's own: its code, the files it gives, its solution;
    `threshold` the accuracy for full marks, "" where none was measured.
    """
    return {
        **versions(),
        "code": code_digest(),
        "sandbox": sandbox,
        "device": device,
        "data": data,
        "limits": str(limits),
        "own": own,
        "threshold": threshold,
    }
