"""Gradescope's two files: what it says of a submission, and the results.json that it shows.

    submission_metadata.json   when it was handed in, when it was due, by whom      `metadata`
    results.json               score, a test per check, a leaderboard               `results`

Theory. Points, names and texts are ours to state, but half of the words come from students: every
text is cleaned and declared `text`, which Gradescope escapes. A public check is visible at once; a
hidden one from the due date on, so that nobody climbs up its messages by handing in again and
again; with `feedback.hidden: none` it is never shown, and with `title` without message and bugs.
Gradescope shows no total while any test is hidden, and what is always in sight must not tell it
either: neither the text above the tests nor the leaderboard, where a hidden check's figure stands
for everybody to see.
A check that waits for another device counts on neither side. Gradescope has one way to say
"without a score": a run that leaves no results.json is shown as an autograder that failed to
execute. So an `ungradable` result makes none, and is never a zero.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ..course.config import Course
from ..errors import GraderError
from ..model import CheckResult, Json, Result, Status, Visibility
from ..results.files import write_whole
from ..text import clean, points, slug
from .base import Export

METADATA_CAP = 64 << 20
TEXT_CAP = 8_000
LEADERBOARD = "Accuracy on hidden images"


@dataclass(frozen=True)
class Handin:
    """A submission as Gradescope knows it: times as ISO 8601, "" where unknown, and whose."""

    created_at: str = ""
    due_date: str = ""
    users: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


def metadata(path: Path) -> Handin:
    """Read submission_metadata.json. Raises `GraderError` for what Gradescope never writes."""
    try:
        with path.open("rb") as f:
            raw = json.loads(f.read(METADATA_CAP))
        users = [u for u in raw.get("users") or [] if isinstance(u, dict)]
        due = _time(raw.get("assignment", {}).get("due_date"))
        created = _time(raw.get("created_at"))
    except (OSError, ValueError, AttributeError, TypeError) as e:
        raise GraderError(
            f"cannot be read: {type(e).__name__}: {e}", where=path, remedy="rerun the autograder"
        ) from e
    return Handin(
        created,
        due,
        tuple(clean(u["name"]) for u in users if isinstance(u.get("name"), str)),
        tuple(u["email"] for u in users if isinstance(u.get("email"), str)),
    )


def _time(text: str | None) -> str:
    """An ISO 8601 time as it stands, "" for none. Raises `ValueError` for anything else."""
    if text is None:
        return ""
    datetime.fromisoformat(text)
    return text


def results(result: Result, course: Course) -> dict[str, Json]:
    """The results.json of a graded result. Raises `GraderError` for one that is not."""
    if result.status != "graded":
        raise GraderError("could not be graded: " + clean("; ".join(result.notes)))
    hidden = course.feedback.hidden
    tests = list(_tests(result, hidden))
    return {
        "score": result.score,
        "execution_time": round(float(result.run.get("wall_s", 0.0))),
        "output": _output(result, total=all(t["visibility"] == "visible" for t in tests)),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
        "leaderboard": [
            {"name": LEADERBOARD, "value": round(c.value, 4), "order": "desc"}
            for c in result.checks
            if c.value is not None and c.visibility is Visibility.PUBLIC
        ],
        "extra_data": {
            "assignment": result.assignment,
            "submission": result.submission,
            "raw_score": result.raw_score,
            "max_score": result.max_score,
            **{k: result.person[k] for k in ("student_id", "email") if result.person.get(k)},
        },
    }


def unusable(reason: str, max_score: float) -> dict[str, Json]:
    """The results.json where there is nothing to grade: the student is told what to hand in.

    Here alone a file without a program has a score, 0: whoever handed it in sees this at once and
    can hand in again.
    """
    text = f"Nothing was graded: {clean(reason)[:TEXT_CAP]}. Put it right and hand in again."
    test = {
        "name": "A program to grade",
        "score": 0.0,
        "max_score": max_score,
        "status": "failed",
        "output": text,
        "visibility": "visible",
    }
    formats = {"output_format": "text", "test_output_format": "text", "test_name_format": "text"}
    return {"score": 0.0, "output": text, **formats, "visibility": "visible", "tests": [test]}


def _output(result: Result, *, total: bool) -> str:
    """What stands above the tests; the points only where nothing of them is hidden (`total`)."""
    lines = [f"{points(result.score)} of {points(result.max_score)} points"] if total else []
    if result.late is not None and result.late.message:
        before = f"; {points(result.raw_score)} before that" if total else ""
        # what is taken off is never more than the score, and so may tell it
        said = result.late.message if total else result.late.message.partition(": ")[0]
        lines.append(f"Late: {said}{before}")
    lines += [f"By a person: {a.words}" for a in result.adjusted]
    lines += result.notes
    return "\n".join(clean(line) for line in lines)[:TEXT_CAP]


def _tests(result: Result, hidden: str) -> list[dict[str, Json]]:
    """A test per check, numbered by task."""
    seen: dict[int, int] = {}
    tests = []
    for c in result.checks:
        seen[c.task] = seen.get(c.task, 0) + 1
        counts = c.status not in (Status.DEFERRED, Status.BY_HAND)
        test: dict[str, Json] = {
            "name": clean(c.title),
            "number": f"{c.task}.{seen[c.task]}",
            "score": c.score if counts else 0.0,
            "max_score": c.max_score if counts else 0.0,
            "output": _said(c, hidden),
            "tags": [],
            "visibility": _visibility(c, hidden),
        }
        if _tells(c, hidden):
            test["tags"] = list(c.bugs)
        if c.status is Status.PASSED:
            test["status"] = "passed"
        elif counts and c.status is not Status.PARTIAL:  # the others speak by their points
            test["status"] = "failed"
        tests.append(test)
    return tests


def _tells(c: CheckResult, hidden: str) -> bool:
    return hidden == "full" or c.visibility is Visibility.PUBLIC


def _visibility(c: CheckResult, hidden: str) -> str:
    if c.visibility is Visibility.PUBLIC:
        return "visible"
    return "hidden" if hidden == "none" else "after_due_date"


def _said(c: CheckResult, hidden: str) -> str:
    decided = [f"By a person: {a.words}" for a in c.adjusted]
    if not _tells(c, hidden):
        return "\n\n".join(decided)[:TEXT_CAP]
    parts = [*decided, c.message, *(f"Bug: {b}" for b in c.bugs)]
    if c.status is not Status.PASSED:
        parts.append(c.help)
    return "\n\n".join(clean(part) for part in parts if part)[:TEXT_CAP]


def export(order: Export) -> list[str]:
    """Write `<student>/<assignment>/results.json` for every grade; returns what to print."""
    written, missed = 0, []
    for r in order.results:
        if r.status != "graded":
            missed.append(order.miss(r, "could not be graded, and so has no results.json"))
            continue
        text = json.dumps(results(r, order.course), indent=1, allow_nan=False)
        write_whole(order.to / slug(r.student) / r.assignment / "results.json", text.encode())
        written += 1
    return [f"{written} results.json in {order.to}", *missed]
