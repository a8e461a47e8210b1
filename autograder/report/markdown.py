"""A student's feedback as Markdown, for the comment field of a learning management system.

Theory. It says what the page says, without its pictures. All text from outside is escaped twice
over: by backslashes for Markdown, and as entities where Markdown would let HTML through. Code
stands in fences that are longer than any run of backticks within.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..model import OPEN, CheckResult, Status
from ..results.people import called
from ..text import clean, points
from . import beats, student
from .source import Excerpt
from .student import Look, Work, promise

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~$^@]|:(?=//))")
_OPENING = re.compile(r"^(\s*)([-+=]|\d+(?=[.)]\s))")
_CODE = re.compile(r"`([^`]{1,200})`")


def escaped(text: str) -> str:
    """Text that Markdown shows as it is: no tag, link, emphasis, heading, list or table."""
    return _escaped(clean(text))


def _escaped(text: str) -> str:
    text = _SPECIAL.sub(r"\\\1", text.replace("&", "&amp;")).replace("\\<", "&lt;")
    return _OPENING.sub(lambda m: m[1] + (f"\\{m[2]}" if m[2] in "-+=" else f"{m[2]}\\"), text)


def prose(text: str) -> str:
    """The same, in which what stands between backticks is code."""
    parts = _CODE.split(clean(text))
    return "".join(f"`{part}`" if k % 2 else _escaped(part) for k, part in enumerate(parts))


def fenced(text: str) -> str:
    """A block of code."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}python\n{text}\n{fence}"


def comment(looks: Sequence[Look]) -> str:
    """The feedback on all of one student's work."""
    parts = [f"# {escaped(called(looks[0].work.result))}"] if looks else []
    for look in looks:
        parts += _one(look)
    return "\n\n".join(parts) + "\n"


def _one(look: Look) -> Iterator[str]:
    work, r = look.work, look.work.result
    yield f"## {escaped(r.assignment or 'Submission')}"
    if r.status == "graded":
        yield f"**{points(r.score)} of {points(r.max_score)} points**"
    elif r.status == "missing":
        yield "Nothing was handed in."
    else:
        yield escaped(
            "This submission has no grade yet, and that is not a zero. A person will look at it."
        )
    if r.late is not None and r.late.message:
        yield prose(r.late.message) + "."
    if len(work.sums) > 1:
        yield "\n".join(f"- {escaped(name)}: {escaped(value)}" for name, value in work.sums)
    decided = [*r.adjusted, *(a for c in r.checks for a in c.adjusted)]
    if decided:
        yield "\n".join(f"- by a person: {prose(a.words)}" for a in decided)
    notes = dict.fromkeys((*r.attention, *r.notes, *look.notes))
    if notes:
        yield "\n".join(f"- {prose(n)}" for n in notes)
    yield from _mend(work)
    for loop in work.loops:
        yield _strip(loop)
    if work.also:
        yield "### Also seen, and it costs no points"
        yield "\n".join(f"- {prose(one.text)}" for one in work.also)
    if work.by_person:
        yield "### Read by a person"
        yield "\n".join(_line(c) for c in work.by_person)
    waiting = [c for c in work.waiting if c.message]
    if waiting:
        yield "### Not checked yet"
        yield "\n".join(_line(c) for c in waiting)
    passed = [c for t in work.tasks for c in t.checks if c.status is Status.PASSED]
    if passed:
        worth = points(sum(c.score for c in passed))
        yield f"{len(passed)} check{'s' * (len(passed) != 1)} passed: {escaped(worth)} points."
    if work.away:
        yield escaped(student.withheld(work.away))


def _mend(work: Work) -> Iterator[str]:
    if work.mend:
        yield f"### Mend {'this' if len(work.mend) == 1 else 'these, in this order'}"
    for k, cause in enumerate(work.mend, 1):
        more = f" and {cause.more} more" if cause.more else ""
        lines = [f"{k}. **{escaped(cause.title)}**{more}: wins {escaped(promise(cause))}"]
        for one in cause.said[: student.LINES_CAP]:
            lines.append(prose(one.text))
            if one.code is not None:
                lines.append(f"{escaped(one.code.where)}:\n\n{fenced(_code(one.code))}")
        if len(cause.said) > student.LINES_CAP:
            lines.append(f"and {len(cause.said) - student.LINES_CAP} more of the kind")
        if cause.bugs:
            lines.append(", ".join(f"`{b}`" for b in cause.bugs))
        lines += [prose(text) for text in cause.help.split("\n\n") if text]
        yield "\n\n".join(lines).replace("\n", "\n   ").replace("\n   \n", "\n\n")
    if work.again:
        yield f"**Hand in again.** {prose(work.again)}"


def _code(code: Excerpt) -> str:
    width = len(str(code.lines[-1].number))
    return "\n".join(
        f"{'>' if line.meant else ' '} {line.number:>{width}}  {line.text}".rstrip()
        for line in code.lines
    )


def strip_text(loop: beats.Loop) -> tuple[str, str]:
    """A right loop's beats and the student's, a line each."""
    own = " → ".join(f"{b.name} ({b.note})" if b.note else b.name for b in loop.beats)
    return " → ".join(beats.RIGHT), own


def _strip(loop: beats.Loop) -> str:
    right, own = strip_text(loop)
    names = ", ".join("`" + name.replace("`", "") + "`" for name in loop.functions)
    where = f" in {names}" if names else ""
    lines = f"- a right loop: {escaped(right)}\n- yours: {escaped(own)}"
    return f"The beats of your loop{where}:\n\n{lines}"


def _line(c: CheckResult) -> str:
    score = "" if c.status in OPEN else f" {points(c.score)} of {points(c.max_score)}"
    told = f": {prose(student.shortened(c.message))}" if c.message else ""
    return f"- {escaped(c.title)}{escaped(score)}{told}"
