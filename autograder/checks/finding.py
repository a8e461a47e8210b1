"""A finding of `autograder watch`, for points: whether the student's own run shows a bug.

The program is run once more, whole, under the recorder; all checks of an assignment that ask for a
finding share that run. A finder speaks only where no innocent explanation is left, so what it says
costs the points; where it could see nothing, nothing is decided.
"""

from __future__ import annotations

from typing import Any

from ..bugs import BUGS
from ..course.config import did_you_mean
from ..errors import EvidenceError
from ..model import Evidence, Outcome, ProbeRequest, Status
from ..watch.findings import Log, findings
from .base import Context, Malformed, Option, check, require

ELSEWHERE = {
    "wrong_device": "use: program, ask: device",
    "incomplete_seeding": "use: program, ask: seeding",
}
"""What one run as it is cannot show, and who asks for it."""
SECONDS = 60.0


def _examine(ctx: Context) -> None:
    bug = str(ctx.option("bug"))
    if bug in ELSEWHERE:
        raise Malformed(f"asks one run for '{bug}', which it cannot show", ELSEWHERE[bug])
    if bug not in BUGS:
        near = did_you_mean(bug, BUGS).removeprefix("; ")
        raise Malformed(f"names the unknown bug '{bug}'", near or "use an id of docs/bugs.md")


def _request(ctx: Context) -> ProbeRequest:
    args: dict[str, Any] = {"seconds": SECONDS, "steps": None, "argv": []}
    return ProbeRequest("flight:record", args, start="fresh", check_s=ctx.spec.check_s)


@check(
    family="finding",
    help="Run `autograder watch` on your program, and read what it says of it.",
    options=(Option("bug", str, "the id of the bug that a finder names", needed=True),),
    examine=_examine,
    main=_request,
)
def finding(ctx: Context, main: Evidence) -> Outcome:
    """Whether the finders of `watch` see a bug in the student's own run."""
    bug = str(ctx.option("bug"))
    try:
        log = Log.of(require(main).data)
        found = {f.bug: f for f in findings(log) if f.kind == "bug"}
    except EvidenceError as e:
        return Outcome(Status.ERROR, 0.0, (), str(e))
    if bug in found:
        one = found[bug]
        line = "" if one.line is None else f" (line {one.line}"
        line += "" if one.line is None else ")" if one.cell is None else f" of cell {one.cell + 1})"
        return Outcome.failed(f"{one.message}{line}", bug)
    if not log.steps:
        return Outcome.not_checked("not checked: the program took no step that could be watched")
    return Outcome.passed()
