"""`autograder check`: a student's own work by the public checks, without a box.

The work is taken as it would be handed in, with the files beside it, and judged as it will be
graded, so that a public check says the same here and there. What is missing here is the hidden
half: its checks, its images, its seed.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError, SubmissionError
from .options import Data, Root, find_course

if TYPE_CHECKING:
    from ..course.config import Assignment
    from ..model import Submission

NO_RELEASE = "put it beside the public.yml of its assignment, or run: autograder release"


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Your notebook or script.")],
    assignment: Annotated[
        str | None, typer.Option("-a", metavar="ID", help="Which assignment it answers.")
    ] = None,
    data: Data = None,
    root: Root = None,
) -> None:
    """Check your own work by the public checks.

    Runs on this machine without a box: use it on your own code only.
    """
    from ..course import config
    from ..grading.grader import Grader
    from .terminal import checked

    public = public_half(file, assignment, root)
    course = _course_or(public.parent, root)
    work = submission_of(file, config.assignment(public), course)
    with Grader(course, "none", data, public=public) as grader:
        graded = grader.grade(work)
    seen = [e.data for e in graded.evidence.values() if "letters" in e.data]
    checked(graded.result, graded.load, work.program, seen)
    raise typer.Exit(0 if graded.result.status == "graded" else 1)


def submission_of(file: Path, assignment: Assignment, course: Path) -> Submission:
    """The work in `file`, with what lies beside it, as it would be handed in.

    `course` is the folder of the course or of the release. Raises `InputError` where there is no
    program in the file.
    """
    from ..intake.collect import collect
    from ..intake.handout import handouts
    from ..intake.tree import files_of, read_folder

    module = assignment.module
    work = f"name {module}.ipynb or {module}.py"
    if file.is_dir():
        raise InputError("is a folder", where=file, remedy=work)
    if file.name == f"test_{module}.py":
        raise InputError("holds the public tests, not your work", where=file, remedy=work)
    known = {assignment.id: module}
    found, refused = collect([file], assignment.id, known, handouts(course, known))
    if refused or not found:
        raise InputError(refused[0].reason if refused else f"{file} holds no work", remedy=work)
    try:
        beside, _ = files_of(read_folder(file.resolve().parent), but=file.name)
    except SubmissionError:
        return found[0]  # a folder of very many files is nobody's hand-in
    return replace(found[0], files={**found[0].files, **beside})


def _course_or(folder: Path, root: Path | None) -> Path:
    """The course's folder where there is one; a student may have the release alone."""
    try:
        return find_course(root)
    except InputError:
        if root is not None:
            raise
        return folder


def public_half(file: Path, assignment: str | None, root: Path | None) -> Path:
    """The public half that answers for `file`: beside it, else the release it is named for.

    Raises `InputError` where that cannot be told.
    """
    from ..course import config
    from ..intake.program import folded

    if not file.exists():
        raise InputError("does not exist", where=file, remedy="check the path")
    beside = (file if file.is_dir() else file.resolve().parent) / "public.yml"
    if beside.is_file() and assignment in (None, config.assignment(beside).id):
        return beside
    releases = sorted(_course_or(file.resolve().parent, root).glob("release/*/public.yml"))
    known = {config.assignment(p).id: p for p in releases}
    if assignment is None:
        stem = folded(file.name)
        fits = [p for p in releases if config.assignment(p).module in stem]
        if len(fits) == 1:
            return fits[0]
        raise InputError(
            "cannot tell which assignment this answers",
            where=file,
            remedy=f"say it with -a: {', '.join(known)}" if known else NO_RELEASE,
        )
    if assignment not in known:
        raise InputError(
            f"there is no release of '{assignment}'",
            remedy=f"one of: {', '.join(known)}" if known else NO_RELEASE,
        )
    return known[assignment]
