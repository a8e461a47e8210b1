"""What a person reads: a text of the student's, with a rubric.

Until that person has given points the check counts neither as zero nor as full: it stands on
neither side of the score (status `by_hand`). The points come by `autograder adjust`, and
`results.adjustments` puts them in its place.

The text is a cell of the handout: in a notebook a markdown cell, in a script the comment between

    # BEGIN ANSWER <check id>
    # END ANSWER
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..course.config import Assignment, CheckSpec
from ..model import Evidence, Outcome, Program, Status
from .base import Context, Malformed, Option, check

NAME = "by_hand"
READ = "read by a person"
ANSWER_CAP = 20_000
"""Characters of a text that are kept; six sentences have a thousand."""


def rubric_of(spec: CheckSpec) -> tuple[tuple[float, str], ...]:
    """The lines of a check's rubric, with their points."""
    lines = spec.options.get("rubric", ())
    return tuple((float(line["points"]), str(line["says"])) for line in lines)


def marked(check: str, text: str) -> str:
    """A text as a script holds it: a comment between markers."""
    body = "\n".join(f"# {line}".rstrip() for line in text.splitlines())
    return f"# BEGIN ANSWER {check}\n{body}\n# END ANSWER"


def answers_of(program: Program, assignment: Assignment) -> dict[str, str]:
    """The student's texts by check: a notebook's cells of text, a script's marked comments."""
    found: dict[str, str] = {}
    for spec in assignment.checks:
        if spec.key != NAME:
            continue
        text = program.texts.get(spec.id, "")
        if program.kind == "script":
            marks = rf"^# BEGIN ANSWER {re.escape(spec.id)}[ \t]*$(.*?)^# END ANSWER"
            match = re.search(marks, program.text, re.MULTILINE | re.DOTALL)
            lines = match[1].strip("\n").splitlines() if match else []
            text = "\n".join(re.sub(r"^[ \t]*# ?", "", line) for line in lines)
        if text.strip():
            found[spec.id] = text.strip()[:ANSWER_CAP]
    return found


def _examine(ctx: Context) -> None:
    lines = ctx.option("rubric")
    for line in lines:
        kinds = isinstance(line, dict) and set(line) == {"points", "says"}
        if not kinds or isinstance(line["points"], bool):
            raise Malformed(
                "has a rubric line that is not {points, says}",
                "write - {points: 0.5, says: what earns them}",
            )
        if not isinstance(line["points"], int | float) or not isinstance(line["says"], str):
            raise Malformed("has a rubric line of another kind", "points: a number, says: a text")
    total = sum(float(line["points"]) for line in lines)
    if total < ctx.spec.points - 1e-9:
        raise Malformed(
            f"is worth {ctx.spec.points:g} points, its rubric {total:g}",
            "let the lines of the rubric make up the points",
        )


@check(
    family=NAME,
    help="A person reads this text.",
    options=(
        Option(
            "rubric",
            list,
            "what a person gives points for: a list of {points, says}; lines may be worth more "
            "than the check together, which then gives no more than its points",
            needed=True,
        ),
    ),
    examine=_examine,
    requests=lambda ctx: {},
)
def by_hand(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """A text that a person reads, with a rubric; no points before that."""
    return Outcome(Status.BY_HAND, 0.0, (), READ)
