"""A hidden test in a notebook: `grade("zero_grad", …)` gives its points right there.

This is how nbgrader and otter-grader work: the test is called in the student's process, which
could lie about what it returned. The answer itself is the one of `autograder grade`, come to in
the same way: the notebook's own cells run as a submission in a box of this machine (in a plain
process where no box can be made, in otter's container say), and the whole is judged once.
So honest work gets the same points in all three graders, whatever the cells above have done to
the present process; what protects a grade against dishonest work is `autograder grade` alone.

The notebook or script is read from the working folder, as nbgrader and otter lay it there and as an
editor last saved it; where there is none, the cells that ran so far are taken.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from .course.config import Assignment
from .errors import GraderError, InputError
from .grading.grader import Grader
from .intake.handout import handout
from .intake.program import read_program
from .intake.tree import files_of, read_folder
from .model import OPEN, CheckResult, Program, Result, Status, Submission

_HIDDEN_TEST = re.compile(r"^\s*from autograder\.live import", re.MULTILINE)
_OF_THE_GRADER = frozenset(
    ("data", "assignments", "release", "source", "tests", "grading_config.yml")
)
"""What lies beside a notebook in otter's folder without being the student's."""


class NotPassed(AssertionError):  # noqa: N818 - what a student reads above the message
    """A hidden test that was not passed; its text is the check's message and help."""


def course_root(start: Path | None = None) -> Path:
    """The nearest folder upwards that holds grading_config.yml (or $FIVE_BEATS_ROOT)."""
    named = os.environ.get("FIVE_BEATS_ROOT")
    here = Path(named) if named else (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "grading_config.yml").is_file():
            return folder
    raise InputError("no course found", where=here, remedy="set FIVE_BEATS_ROOT to its folder")


@lru_cache(maxsize=1)
def _grader(root: Path) -> Grader:
    """The course's grader, with a box where this machine can make one."""
    try:
        return Grader(root)
    except (GraderError, InputError):
        return Grader(root, "none")


def _assignment(grader: Grader, checks: tuple[str, ...], wanted: str) -> Assignment:
    """The assignment named, else the one in whose folder we are, else the only one that fits."""
    if wanted:
        return grader.assignment(wanted)
    known = [grader.assignment(i) for i in grader.ids()]
    parts = set(Path.cwd().parts)
    here = [a for a in known if a.id in parts] or known
    found = [a for a in here if set(checks) <= {c.id for c in a.checks}]
    if len(found) != 1:
        what = "no assignment has" if not found else "several assignments have"
        raise InputError(
            f"{what} the checks {', '.join(checks)}", remedy="run in the assignment's own folder"
        )
    return found[0]


@lru_cache(maxsize=1)
def _started() -> float:
    """When this process began, in seconds since the epoch, a second late at most."""
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    boot = re.search(r"^btime (\d+)", Path("/proc/stat").read_text(), re.MULTILINE)
    assert boot is not None
    return int(boot[1]) + ticks / os.sysconf("SC_CLK_TCK") + 1.0


def _handed_in(path: Path, name: str) -> bool:
    """Whether a file beside the notebook came with it; what its cells wrote since did not."""
    top = name.partition("/")[0]
    return top not in _OF_THE_GRADER and path.stat().st_mtime <= _started()


def _scripts_among(ran: tuple[str, ...], folder: Path) -> list[Path]:
    """The scripts in `folder` that ran whole as one cell: so otter runs a script, between cells
    of its own, whatever the file is called.
    """
    whole = {c.strip() for c in ran}
    scripts = sorted(folder.glob("*.py"))
    return [p for p in scripts if p.read_text("utf-8", "replace").strip() in whole]


def submission(assignment: Assignment, folder: Path, root: Path) -> Submission:
    """The work in `folder`, or what ran here so far, without the hidden tests in it.

    A notebook is read beside the handout of the course at `root`, as `autograder grade` does it.
    """
    module = assignment.module
    ran = tuple(c for c in sys.modules["__main__"].__dict__.get("In", []) if c.strip())
    exact = [folder / f"{module}.ipynb", folder / f"{module}.py"]
    others = [*sorted(folder.glob("*.ipynb")), *_scripts_among(ran, folder)]
    found = [p for p in (*exact, *others) if p.is_file()]
    files: dict[str, bytes] = {}
    if found:
        given = handout(root, assignment.id, module)
        program, _ = read_program(f"{module}{found[0].suffix}", found[0].read_bytes(), given)
        beside, _ = files_of(read_folder(folder), but=found[0].name)
        files = {n: b for n, b in beside.items() if _handed_in(folder / n, n)}
    else:
        program = Program("notebook", f"{module}.ipynb", ran)
    kept = tuple(c for c in program.cells if not _HIDDEN_TEST.search(c))
    return Submission("", assignment.id, Program(program.kind, program.main, kept), files)


_graded: dict[tuple[str, str], Result] = {}
"""The grade of what was last looked at: every hidden test asks for its part of the same one."""


def _result(grader: Grader, work: Submission) -> Result:
    key = (work.assignment, work.digest)
    if key not in _graded:
        _graded.clear()
        _graded[key] = grader.grade(work).result
    return _graded[key]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Nothing of ours on stderr: nbgrader gives no points to a cell that writes there."""
    with contextlib.redirect_stderr(io.StringIO()):
        yield


def outcomes(checks: tuple[str, ...], assignment: str = "") -> list[CheckResult]:
    """What the checks say of the work in this folder, in the order asked for.

    Raises `GraderError` where the grader could not do its work: that is nobody's zero.
    """
    with _quiet():
        grader = _grader(course_root())
        spec = _assignment(grader, checks, assignment)
        result = _result(grader, submission(spec, Path.cwd(), grader.root))
    found = {c.id: c for c in result.checks}
    ours = [found[i].message for i in checks if i in found and found[i].status == "ungradable"]
    if not found or ours:
        raise GraderError(
            f"could not be graded: {'; '.join(ours or result.notes)}",
            where=spec.id,
            remedy="mend the grader's machine and grade again; this is not the student's fault",
        )
    return [found[i] for i in checks]


def grade(*checks: str, assignment: str = "") -> float:
    """Run hidden tests; returns the points they earned, which nbgrader takes as the cell's score.

    What was not passed is printed with its message and help. Raises `NotPassed` where nothing
    was earned at all, so that a reader of the cell sees a failed test and not a quiet zero.
    """
    results = outcomes(checks, assignment)
    said = [
        f"{r.title}: {r.message}\n{r.help}".strip()
        for r in results
        if r.status not in (Status.PASSED, *OPEN)
    ]
    earned = round(sum(r.score for r in results), 4)
    if said and earned == 0 and any(r.max_score for r in results):
        raise NotPassed("\n\n".join(said))
    print("\n\n".join(said) or "passed")
    return earned


def demand(check: str, assignment: str = "") -> None:
    """Raise `NotPassed` unless the check gave all of its points; for otter's hidden test cases.

    The message ends in what was earned in part, which `exports.otter_plugin` counts. A check that
    is left open here (it needs a GPU, or a person) raises as well: otter gives a case that passes
    all of its points, and nbgrader and `autograder grade` give none of these before it was asked.
    """
    (found,) = outcomes((check,), assignment)
    if found.status is Status.PASSED:
        return
    earned = f"(earned {found.score:.4f} of {found.max_score:g} points)"
    raise NotPassed(f"{found.title}: {found.message}\n{found.help}\n{earned}")
