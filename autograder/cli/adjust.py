"""`autograder adjust`: a person's points and words, over what the checks gave."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..errors import InputError
from .options import Out, Root, graded_folder, optional_course

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..model import Adjustment, Result


def adjust(
    out: Out,
    student: Annotated[
        str | None, typer.Argument(metavar="STUDENT", help="As in grades.csv, or a roster's id.")
    ] = None,
    check: Annotated[
        str | None, typer.Argument(metavar="CHECK", help="A check's id; `total` is the whole.")
    ] = None,
    points: Annotated[
        str | None,
        typer.Argument(metavar="POINTS", help="+1.5 or -1 changes, 3 gives points by hand."),
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", "--comment", metavar="TEXT", help="The student reads it.")
    ] = "",
    assignment: Annotated[
        str | None, typer.Option("-a", metavar="ID", help="Which, where several have this check.")
    ] = None,
    bonus: Annotated[
        bool, typer.Option("--bonus", help="This change may go above the maximum.")
    ] = False,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Take back what was decided there.")
    ] = False,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A CSV: student, check, points, reason.")
    ] = None,
    by: Annotated[str, typer.Option(metavar="NAME", help="Whose decision.  [your user name]")] = "",
    root: Root = None,
) -> None:
    """Change points, or give them by hand.

    A decision survives regrade, resubmission and every export. Without POINTS it is a comment;
    without STUDENT, what was decided is listed. The same command twice is the same as once.
    """
    graded_folder(out)

    from ..results import adjustments, totals

    course = optional_course(root, out)
    if student is None and file is None:
        _show(adjustments.by_student(adjustments.read(out)))
        return
    if file is not None and (student is not None or withdraw or bonus or reason or assignment):
        raise InputError("--file holds all that is decided", remedy="leave the rest away")
    whose, when = adjustments.named(by) or adjustments.who(), adjustments.now()
    with adjustments.locked(out):
        rows = totals.rows(out, course).results
        if file is not None:
            made = adjustments.from_table(file, rows, whose, when)
        else:
            decision = _decision(points, reason, whose, when, bonus=bonus, withdraw=withdraw)
            if student is None or check is None:
                raise InputError("no check is named", remedy="adjust OUT STUDENT CHECK POINTS")
            made = [adjustments.decide(rows, student, check, assignment, decision)]
        fresh = adjustments.add(out, [a for a, _ in made])
    _tell(out, root, made, fresh)


def _decision(
    points: str | None, reason: str, by: str, when: str, *, bonus: bool, withdraw: bool
) -> Adjustment:
    """What the command line says, as yet about nobody."""
    from ..model import Adjustment
    from ..results import adjustments
    from ..text import clean

    kind: Literal["add", "set", "comment", "withdraw"] = "comment"
    value = 0.0
    if withdraw:
        if points is not None or bonus:
            raise InputError("--withdraw takes no points", remedy="leave them away")
        return Adjustment("", "", "", "withdraw", 0.0, clean(reason), by, when)
    if points is not None:
        kind, value = adjustments.parse(points)
    words = adjustments.reason_of(reason)
    if bonus and kind != "add":
        raise InputError("only a change can be a bonus", remedy="say +1 with --bonus")
    return Adjustment("", "", "", kind, value, words, by, when, bonus=bonus)


def _tell(
    out: Path, root: Path | None, made: Sequence[tuple[Adjustment, Result]], fresh: list[bool]
) -> None:
    """Bring table and pages up to date, and say what became of whom."""
    from ..report import pages
    from ..results import totals
    from ..results.store import BusyError, Store
    from ..text import clean
    from .terminal import questions, score

    course = optional_course(root, out)
    waits = False
    try:
        with Store(out / "store.sqlite"):
            rows = totals.settle(out, course)
            pages.write(out, course)
    except BusyError:
        rows, waits = totals.rows(out, course), True
    for (a, before), new in zip(made, fresh, strict=True):
        after = rows.find(before)
        whose = f"{clean(before.student)} {a.assignment} {a.check or 'total'}"
        if not new:
            nothing = "nothing was decided there" if a.kind == "withdraw" else "stands already"
            typer.echo(f"{whose}: {nothing}; {score(after)}")
        elif score(before) == score(after):
            typer.echo(f"{whose}: noted; {score(after)}")
        else:
            typer.echo(f"{whose}: {score(before)} -> {score(after)}")
    about = {(b.student, b.assignment) for _, b in made}
    questions(rows.about(about))
    if waits:
        typer.echo("a grading is writing there now, and takes this into table and pages at its end")


def _show(standing: Sequence[Adjustment]) -> None:
    """Everything that stands, a line each."""
    from ..text import clean

    for a in standing:
        where = f"{a.student} {a.assignment} {a.check or 'total'}"
        typer.echo(clean(f"{where}: {a.words} ({a.by}, {a.when[:10]})"))
    if not standing:
        typer.echo("nothing was decided by a person")
