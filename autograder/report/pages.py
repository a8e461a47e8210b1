"""The report: a page for the class and a feedback page per student, from what OUT holds.

    OUT/report/index.html              for the teaching staff: it names everyone
    OUT/report/section-<slug>.html     the same of one section of the roster
    OUT/report/monday.html             the bugs of the class and how to teach them (`monday`); it
                                       names nobody, and each section has one, too
    OUT/regrades/<time>.html           what a regrading changed
    OUT/report/students/<slug>.html    one student's own, to be handed on as it is
    OUT/report/students/<slug>.md      the same as Markdown, for a comment

Theory. A page is a single file without outside resources, under a content policy that forbids
them, since half of its words come from strangers: those are stripped of terminal, control and
bidirectional characters here and escaped by jinja2. The one script is ours: it sorts and filters
the table of a class, the policy names it by its hash, and the page says the same without it. Colour
never speaks alone; an icon and a word always stand beside it. Bars and charts are inline SVG, whose
geometry needs no style attribute and so no hole in the policy.

What a student sees of hidden checks is the course's `feedback.hidden`: `full`, `title`
(the verdict without message, bugs and help) or `none` (only how many there are).
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from ..course.config import Course
from ..model import RAISED, CheckResult, Result, Status, Visibility
from ..results import files, store, totals
from ..results.changes import Change, Side
from ..results.people import called
from ..results.store import Attempt
from ..text import clean, number, points, slug
from . import markdown, monday, student
from .html import environment
from .monday import graded_of, with_bugs

OUTPUT_CAP = 20_000
NAMED = 60
"""Students whom the list of a bug names; of more, the class's table and the lists below tell."""
View = dict[str, Any]

STATUS: Mapping[str, View] = {
    "passed": {"tone": "good", "icon": "✓", "words": "passed"},
    "partial": {"tone": "part", "icon": "◐", "words": "partly"},
    "failed": {"tone": "bad", "icon": "✗", "words": "not passed"},
    "error": {"tone": "bad", "icon": "✗", "words": "raised an error"},
    "timeout": {"tone": "bad", "icon": "⧗", "words": "took too long"},
    "memory": {"tone": "bad", "icon": "▦", "words": "used too much memory"},
    "not_checked": {"tone": "calm", "icon": "○", "words": "not checked"},
    "by_hand": {"tone": "calm", "icon": "✎", "words": "read by a person"},
    "deferred": {"tone": "calm", "icon": "…", "words": "waits for another device"},
    "ungradable": {"tone": "ours", "icon": "!", "words": "could not be graded"},
}
_MISSING: View = {"tone": "part", "icon": "○", "words": "nothing handed in"}
_OPEN = (Status.BY_HAND, Status.DEFERRED)
"""What counts on neither side."""
_GRADED: Mapping[str, View] = {
    "full": {"tone": "good", "icon": "✓", "words": "full marks"},
    "some": {"tone": "plain", "icon": "◐", "words": "graded"},
    "none": {"tone": "bad", "icon": "✗", "words": "no points"},
}


def write(out: Path, course: Course | None = None) -> Path:
    """Write the report of everything graded into `out`; returns the path of its index.

    Raises `GraderError` where a result there is broken.
    """
    rows = totals.rows(out, course)
    results = rows.results
    folder = out / "report"
    page = environment()
    past = store.attempts(out / "store.sqlite")
    written = set()
    by_student: dict[str, list[Result]] = {}
    for r in results:
        by_student.setdefault(r.student, []).append(r)
    for name, own in by_student.items():
        path = folder / _page(name)
        looks = [student.look(out, r, course, past) for r in own]
        files.write_whole(path, _feedback(looks, course, page))
        comment = path.with_suffix(".md")
        files.write_whole(comment, markdown.comment(looks).encode())
        written |= {path, comment}
    sections = rows.roster.sections if rows.roster is not None else []
    links = [{"name": clean(s), "page": f"section-{slug(s)}.html"} for s in sections]
    index = folder / "index.html"
    for path, section in ((index, None), *((folder / k["page"], k["name"]) for k in links)):
        here = rows if section is None else rows.in_section(section)
        lesson = folder / monday.file_of(section)
        view = {
            "section": section,
            "sections": links,
            "monday": lesson.name,
            "bugs": any(r.bugs for r in graded_of(here.results)),
            **_index(_name(course), here),
        }
        html = page.get_template("index.html.j2").render(view)
        files.write_whole(path, html.encode())
        files.write_whole(lesson, monday.page(out, _name(course), section, here.results))
        written |= {path, lesson}
    per_section = (*folder.glob("section-*.html"), *folder.glob("monday-*.html"))
    for stale in (*(folder / "students").glob("*.*"), *per_section):
        if stale not in written:
            stale.unlink()
    return index


def regraded(path: Path, found: Sequence[Change], course: Course | None = None) -> None:
    """Write the page of what a regrading changes, for the teaching staff."""

    def side(one: Side | None) -> View:
        if one is None:
            return {"score": "", "status": None, "bugs": (), "why": "there was no such check"}
        view = STATUS.get(one.status)
        score = "" if one.score is None else f"{points(one.score)} / {points(one.max_score)}"
        return {"score": score, "status": view, "bugs": one.bugs, "why": clean(one.why)}

    moved = [c for c in found if not c.check]
    view = {
        "course": _name(course),
        "when": path.stem,
        "n_students": len({(c.student, c.assignment) for c in found}),
        "up": sum(_moved(c) > 0 for c in moved),
        "down": sum(_moved(c) < 0 for c in moved),
        "rows": [
            {
                "student": clean(c.student),
                "assignment": c.assignment,
                "title": clean(c.title),
                "before": side(c.before),
                "after": side(c.after),
            }
            for c in found
        ],
    }
    html = environment().get_template("regrade.html.j2").render(view)
    files.write_whole(path, html.encode())


def _moved(change: Change) -> float:
    """By how much a score went up; work without one counts as none."""
    sides = (change.before, change.after)
    before, after = (0.0 if s is None or s.score is None else s.score for s in sides)
    return after - before


def feedback(out: Path, own: Sequence[Result], course: Course | None = None) -> bytes:
    """The page of one student's results `own`, which `out` holds: HTML in UTF-8."""
    past = store.attempts(out / "store.sqlite")
    return _feedback([student.look(out, r, course, past) for r in own], course, environment())


def _feedback(
    looks: Sequence[student.Look], course: Course | None, page: jinja2.Environment
) -> bytes:
    own = [look.work.result for look in looks]
    view = {
        "course": _name(course),
        "student": called(own[0]),
        "works": [_work(look) for look in looks],
        "environment": _versions(own),
    }
    return page.get_template("student.html.j2").render(view).encode()


def _name(course: Course | None) -> str:
    return course.course if course is not None else "Grades"


def _page(student: str) -> str:
    return f"students/{slug(student)}.html"


def _piece(tone: str, share: float, x: float = 0.0) -> View:
    return {"tone": tone, "x": number(round(100 * x, 2)), "width": number(round(100 * share, 2))}


def _share(r: Result) -> float:
    return r.score / r.max_score if r.max_score > 0 else 0.0


def _status(r: Result) -> View:
    if r.status == "missing":
        return dict(_MISSING)
    if r.gone:
        return {"tone": "calm", "icon": "○", "words": files.GONE}
    if r.status == "ungradable":
        return dict(STATUS["ungradable"])
    if r.by_hand:
        return {"tone": "plain", "icon": "✎", "words": "so far; a person has still to read"}
    if r.score >= r.max_score:
        return dict(_GRADED["full"])
    return dict(_GRADED["some" if r.score > 0 else "none"])


def _bar(r: Result) -> list[View]:
    return [] if not r.scored else [_piece(_status(r)["tone"], _share(r))]


# -- the class ---------------------------------------------------------------------------------


def _index(name: str, rows: totals.Rows) -> View:
    results = rows.results
    graded = graded_of(results)
    ids = sorted({r.assignment for r in results if r.assignment})
    asks = {(r.student, r.assignment): a for r in results if (a := _attention(r, rows.of(r)))}
    own = {i: [r for r in results if r.assignment == i] for i in ids}
    return {
        "course": name,
        "n_students": len({r.student for r in results if not r.gone}),
        "n_graded": sum(r.owner in ("", r.student) for r in graded),
        "n_full": sum(r.score >= r.max_score for r in graded),
        "attention": [*asks.values()]
        + [
            {"student": clean(a.student), "page": "", "assignment": a.assignment, "why": a.lost}
            for a in rows.astray
        ],
        "assignments": [_assignment(k, i, own[i]) for k, i in enumerate(ids)],
        "table": _table(ids, results, asks),
    }


CATEGORIES: Mapping[str, str] = {
    "full": "full marks",
    "some": "some points",
    "zero": "no points",
    "untouched": "handout untouched",
    "broken": "does not run",
    "stopped": "was stopped",
    "person": "needs a person",
    "read": "to be read",
    "late": "late",
    "missing": "missing",
}
"""What a cell of the table can be, several at once; in the order in which they are offered."""
_NOT_WRITTEN = "not written yet"
"""How judges begin to say that a stub is as it was handed out."""
_UNTOUCHED = "nothing was written"
"""How `intake/collect.py` begins to say so of the whole work."""


def _categories(r: Result, *, asked: bool) -> list[str]:
    """What there is to know of a result at one glance, as keys of `CATEGORIES`."""
    found = []
    if r.status == "missing":
        found.append("missing")
    elif r.status == "graded":
        marks = "full" if r.score >= r.max_score else "some" if r.score > 0 else "zero"
        found.append(marks)
        seen = [c for c in r.checks if c.status in (Status.FAILED, Status.ERROR)]
        end = str(r.run.get("exit", "done")).partition(":")[0]
        if end not in ("done", "error"):
            found.append("stopped")
        elif any(a.startswith(_UNTOUCHED) for a in r.attention) or (
            seen and r.score <= 0 and all(c.message.startswith(_NOT_WRITTEN) for c in seen)
        ):
            found.append("untouched")
        elif r.score <= 0 and any(n.startswith(RAISED) for n in r.notes):
            found.append("broken")
    if asked or r.status == "ungradable":
        found.append("person")
    if r.by_hand:
        found.append("read")
    if r.late is not None and r.late.late and r.status != "missing":
        found.append("late")
    return found


def _table(
    ids: Sequence[str], results: Sequence[Result], asks: Collection[tuple[str, str]]
) -> View:
    """Everybody's row: the cells by assignment, with what the page's script sorts and filters by:
    of a cell the score, the categories, the lost checks, the bugs and the bar of the histogram.
    """
    graded = {i: [r for r in graded_of(results) if r.assignment == i] for i in ids}
    checks = {i: _numbered(c.id for r in graded[i] for c in r.checks) for i in ids}
    bugs = {i: _numbered(b for b, _ in with_bugs(graded[i])) for i in ids}
    people: dict[str, dict[str, Result]] = {}
    for r in results:
        people.setdefault(r.student, {})[r.assignment] = r
    lines: list[View] = []
    for name, own in people.items():
        scored = [r for r in own.values() if r.scored]
        first = next(iter(own.values()))
        cells: list[View] = []
        for i in ids:
            if i not in own:
                cells.append({})
                continue
            r = own[i]
            kinds = _categories(r, asked=(name, i) in asks)
            lost = [
                checks[i][c.id]
                for c in r.checks
                if c.id in checks[i] and STATUS[c.status]["tone"] in ("bad", "part")
            ]
            cells.append(
                {
                    "score": points(r.score) if r.scored else "",
                    "tone": _status(r)["tone"],
                    "icon": _status(r)["icon"],
                    "kinds": kinds,
                    "words": [CATEGORIES[k] for k in kinds if k not in ("full", "some", "zero")],
                    "lost": lost,
                    "bugs": [bugs[i][b] for b in r.bugs if b in bugs[i]],
                    "bin": _bin(_share(r)) if r.status == "graded" and not r.gone else "",
                }
            )
        lines.append(
            {
                "student": clean(name),
                "who": _who(first),
                "section": clean(first.person.get("section", "")),
                "page": _page(name),
                "total": points(sum(r.score for r in scored)) if scored else "",
                "cells": cells,
            }
        )
    there = {k for line in lines for cell in line["cells"] if cell for k in cell["kinds"]}
    return {
        "assignments": ids,
        "rows": lines,
        "sections": sorted({line["section"] for line in lines} - {""}),
        "kinds": [(k, words) for k, words in CATEGORIES.items() if k in there],
    }


def _numbered(names: Iterable[str]) -> dict[str, int]:
    """A number for each name, from 0 in the order in which they come."""
    return {name: k for k, name in enumerate(dict.fromkeys(names))}


def _attention(r: Result, questions: Sequence[str]) -> View | None:
    """A line for a person to look at, where a result is not wholly a grade."""
    flagged = [(c, c.message) for c in r.checks if c.status is Status.UNGRADABLE]
    flagged += [(c, c.flag) for c in r.checks if c.flag]
    if r.gone:
        why = f"{files.GONE}: renamed, or left? The row stays until its result is removed"
    elif r.status == "ungradable":
        why = "; ".join([*questions, files.summary(r)])
    elif flagged or r.attention or questions:
        told = [*questions, *r.attention]
        why = "; ".join([*told, *(f"{c.title}: {said}" for c, said in flagged)])
    else:
        return None
    return {
        "student": clean(r.student),
        "page": _page(r.student),
        "assignment": r.assignment,
        "why": clean(why),
    }


def _assignment(index: int, name: str, results: Sequence[Result]) -> View:
    graded = graded_of(results)
    scores = [r.score for r in graded]
    return {
        "id": name,
        "index": index,
        "anchor": slug(name),
        "graded": len(graded),
        "missing": sum(r.status == "missing" for r in results),
        "max_score": points(max((r.max_score for r in results), default=0.0)),
        "mean": number(round(statistics.fmean(scores), 1)) if scores else "",
        "median": number(round(statistics.median(scores), 1)) if scores else "",
        "histogram": _histogram([_share(r) for r in graded]),
        "bugs": _bugs(graded),
        "also": Counter(o.bug for r in graded for o in r.also_seen).most_common(),
        "checks": _pass_rates(graded),
        "tasks": _task_means(graded),
        "spreads": _spreads(graded),
        "slowest": _slowest(graded),
        "decided": _decisions(results),
        "lost": [
            {
                "student": clean(r.student),
                "page": _page(r.student),
                "words": "; ".join(filter(None, _lost_words(r))),
            }
            for r in results
            if r.status != "graded" or r.score < r.max_score
        ],
    }


def _lost_words(r: Result) -> Iterator[str]:
    """Of a result without full marks: the points, the bugs, and why there are none, if so."""
    yield points(r.score) if r.scored else _status(r)["words"]
    yield ", ".join(r.bugs)
    yield clean(files.summary(r) if r.status == "missing" else files.why_zero(r))


def _task_means(graded: Sequence[Result]) -> list[View]:
    """Of each task the mean score, in the assignment's order."""
    got: dict[int, list[float]] = {}
    most: dict[int, list[float]] = {}
    for r in graded:
        for task in student.tasks_of(r.checks):
            if task.max_score > 0:
                got.setdefault(task.number, []).append(task.score)
                most.setdefault(task.number, []).append(task.max_score)
    return [
        {
            "name": student.Task(n, ()).name,
            "mean": number(round(statistics.fmean(got[n]), 2)),
            "max_score": points(max(most[n])),
            "bar": [_piece("plain", sum(got[n]) / sum(most[n]))],
            "share": student.percent(sum(got[n]) / sum(most[n])),
        }
        for n in got
    ]


def _spreads(graded: Sequence[Result]) -> list[View]:
    """How the measured accuracies of a check lie, in bins of five percent on a canvas of 340 by
    120, with the threshold; the last bin holds 100.
    """
    values: dict[str, list[student.Accuracy]] = {}
    for r in graded:
        for a in student.accuracies_of(r.checks):
            values.setdefault(a.title, []).append(a)
    found = []
    for title, own in values.items():
        counts = [0] * 20
        for a in own:
            counts[min(19, int(a.value * 20 + 1e-9))] += 1
        top = max(counts)
        thresholds = sorted({a.threshold for a in own})
        found.append(
            {
                "title": title,
                "count": len(own),
                "bars": [
                    {"x": 10 + 16 * k, "y": 95 - round(75 * n / top), "height": round(75 * n / top)}
                    for k, n in enumerate(counts)
                    if n
                ],
                "words": ". ".join(
                    f"{5 * k} to {5 * k + 5} percent: {n}" for k, n in enumerate(counts) if n
                ),
                "reached": sum(a.value >= a.threshold for a in own),
                "low": student.percent(min(a.value for a in own)),
                "median": student.percent(statistics.median(a.value for a in own)),
                "high": student.percent(max(a.value for a in own)),
                "thresholds": [
                    {"x": number(round(10 + 320 * t, 1)), "words": student.percent(t)}
                    for t in thresholds[:3]
                ],
            }
        )
    return found


def _slowest(graded: Sequence[Result], many: int = 5) -> list[View]:
    """Whose programs ran longest, of the first second on."""
    timed = [(r, t) for r in graded if isinstance(t := r.run.get("wall_s"), int | float) and t >= 1]
    timed.sort(key=lambda pair: (-pair[1], pair[0].student))
    return [
        {"student": clean(r.student), "page": _page(r.student), "time": f"{t:.1f} s"}
        for r, t in timed[:many]
    ]


def _decisions(results: Sequence[Result]) -> list[View]:
    """What persons decided, student by student: about the whole, then check by check."""
    return [
        {
            "student": clean(r.student),
            "page": _page(r.student),
            "check": title,
            "words": clean(a.words),
            "bonus": a.bonus,
            "saw": points(a.saw) if a.saw is not None else "",
            "by": clean(a.by),
            "when": a.when[:10],
        }
        for r in results
        if r.owner in ("", r.student)
        for title, own in [("", r.adjusted), *((clean(c.title), c.adjusted) for c in r.checks)]
        for a in own
    ]


def _who(r: Result) -> str:
    """What the roster says of a student beside the section: `Andersson, Alice · team 1`."""
    said = (r.person.get(column, "") for column in ("name", "group"))
    return " · ".join(clean(text) for text in said if text and text != r.student)


def _histogram(shares: Iterable[float]) -> list[View]:
    """Ten bins of ten percent each, the last with 100; as bars on a 340 by 150 canvas."""
    counts = [0] * 10
    for share in shares:
        counts[_bin(share)] += 1
    top = max([*counts, 1])
    bins = []
    for i, count in enumerate(counts):
        height = round(100 * count / top) if count else 0
        label = f"{10 * i} to {10 * i + 10}"
        view = {"label": label, "count": count, "x": 12 + 32 * i, "y": 125 - height}
        bins.append({**view, "height": height})
    return bins


def _bin(share: float) -> int:
    """The tenth in which a share of the points lies, 0 to 9."""
    return min(9, max(0, int(share * 10 + 1e-9)))


def _bugs(graded: Sequence[Result]) -> list[View]:
    """Each bug with the students who have it, the most frequent first."""
    helps: dict[str, str] = {}
    for r in graded:
        for c in r.checks:
            if len(c.bugs) == 1:
                helps.setdefault(c.bugs[0], c.help)
    return [
        {
            "id": bug,
            "anchor": slug(bug),
            "students": [
                {"student": clean(r.student), "page": _page(r.student)} for r in who[:NAMED]
            ],
            "count": len(who),
            "share": number(round(100 * len(who) / len(graded), 2)),
            "help": clean(helps.get(bug, "")),
        }
        for bug, who in with_bugs(graded)
    ]


def _pass_rates(graded: Sequence[Result]) -> list[View]:
    """Per check, in the assignment's order: how many passed, and a bar of the rest."""
    by_id: dict[str, list[CheckResult]] = {}
    for r in graded:
        for c in r.checks:
            by_id.setdefault(c.id, []).append(c)
    numbers = _numbered(by_id)
    rows = []
    for lines in by_id.values():
        x, pieces = 0.0, []
        for tone in ("good", "part", "bad", "calm", "ours"):
            share = sum(STATUS[c.status]["tone"] == tone for c in lines) / len(lines)
            if share:
                pieces.append(_piece(tone, share, x))
            x += share
        rows.append(
            {
                "title": clean(lines[0].title),
                "number": numbers[lines[0].id],
                "task": lines[0].task,
                "hidden": lines[0].visibility is Visibility.HIDDEN,
                "points": points(lines[0].max_score),
                "passed": sum(c.status is Status.PASSED for c in lines),
                "total": len(lines),
                "bar": pieces,
            }
        )
    return rows


# -- a student ---------------------------------------------------------------------------------


def _work(look: student.Look) -> View:
    """One assignment on a student's page, as far as the course lets the student see it."""
    r, seen, load = look.work.result, look.work, look.load
    notes = list(dict.fromkeys((*r.attention, *r.notes, *look.notes)))
    causes = {name: k for k, c in enumerate(seen.mend, 1) for name in c.checks}
    told = {
        *causes,
        *(c.id for c in seen.by_person),
        *(name for s in seen.also for name in s.checks),
    }
    text = clean(load.output, lines=True).strip("\n") if load is not None else ""
    cut = len(text) > OUTPUT_CAP
    return {
        "assignment": r.assignment,
        "anchor": slug(r.assignment or "submission"),
        "graded": r.status == "graded",
        "missing": r.status == "missing",
        "score": points(r.score),
        "max_score": points(r.max_score),
        "status": _status(r),
        "late": r.late is not None and r.late.late,
        "lateness": clean(r.late.message) if r.late is not None else "",
        "raw_score": points(r.raw_score),
        "bar": _bar(r),
        "tally": _tally(r.checks),
        "sums": seen.sums,
        "facts": _facts(r),
        "notes": [clean(n) for n in notes],
        "decided": [
            clean(a.words) for own in (r.adjusted, *(c.adjusted for c in seen.away)) for a in own
        ],
        "mend": [_cause(c) for c in seen.mend],
        "again": seen.again,
        "loops": [
            {"functions": one.functions, "beats": one.beats, "right": monday.RIGHT}
            for one in seen.loops
        ],
        "curves": [_curve(c) for c in seen.curves],
        "accuracies": [_gauge(a) for a in seen.accuracies],
        "also": seen.also,
        "by_person": [_check(c, causes) for c in seen.by_person],
        "tasks": [_task(t, causes, told) for t in seen.tasks],
        "withheld": student.withheld(seen.away),
        "errors": [
            {
                "title": student.shortened(str(e)),
                "traceback": clean(e.traceback, lines=True) or clean(e.message),
                "code": code,
            }
            for e, code in seen.errors
        ],
        "output": text[:OUTPUT_CAP],
        "output_note": f" (the first {OUTPUT_CAP:,} characters)" if cut else "",
        "attempts": _attempts(r, look.attempts),
    }


def _attempts(r: Result, attempts: Sequence[Attempt]) -> list[View]:
    """Each work of this student's that was graded here, the oldest first; [] where it is one."""
    if len({a.submission for a in attempts}) < 2:
        return []
    return [
        {
            "score": points(a.score),
            "max_score": points(a.max_score),
            "when": clean(a.submitted_at),
            "now": a.submission == r.submission,
        }
        for a in attempts
    ]


def _cause(c: student.Cause) -> View:
    return {
        "title": c.title,
        "more": c.more,
        "status": STATUS[c.status],
        "promise": student.promise(c),
        "said": c.said[: student.LINES_CAP],
        "left_out": max(0, len(c.said) - student.LINES_CAP),
        "bugs": c.bugs,
        "silent": c.silent,
        "help": c.help.split("\n\n") if c.help else [],
    }


def _gauge(a: student.Accuracy) -> View:
    floor = a.threshold if a.floor is None else min(a.floor, a.threshold)

    def at(value: float) -> str:
        return number(round(100 * value, 2))

    return {
        "title": a.title,
        "value": student.percent(a.value),
        "threshold": student.percent(a.threshold),
        "floor": "" if a.floor is None else student.percent(a.floor),
        "at": {
            "floor": at(floor),
            "between": at(a.threshold - floor),
            "threshold": at(a.threshold),
            "full": at(max(0.0, 1 - a.threshold)),
            "here": at(min(a.value, 0.992)),
        },
    }


def _curve(c: student.Curve) -> View:
    """A polyline on a canvas of 220 by 90, its lowest and highest value written beside it."""
    low, high = min(c.values), max(c.values)
    span = (high - low) or 1.0
    dots = [
        {
            "x": number(round(44 + 164 * k / (len(c.values) - 1), 2)),
            "y": number(round(70 - 58 * (v - low) / span if high > low else 41, 2)),
        }
        for k, v in enumerate(c.values)
    ]
    ends = [{"y": 73, "label": f"{low:.3g}"}, {"y": 15, "label": f"{high:.3g}"}]
    if high == low:
        ends = [{"y": 44, "label": f"{low:.3g}"}]
    return {
        "function": c.function,
        "count": len(c.values),
        "points": " ".join(f"{d['x']},{d['y']}" for d in dots),
        "dots": dots if len(dots) <= 40 else [],
        "ends": ends,
        "words": ", ".join(f"{v:.4g}" for v in c.values),
    }


def _tally(checks: Sequence[CheckResult]) -> str:
    """`12 passed, 1 partly, 3 not passed`, in words."""
    counts: dict[str, int] = {}
    for c in checks:
        words = STATUS[c.status]["words"]
        counts[words] = counts.get(words, 0) + 1
    order = [view["words"] for view in STATUS.values()]
    return ", ".join(f"{counts[w]} {w}" for w in order if w in counts)


def _facts(r: Result) -> list[tuple[str, str]]:
    """What the run cost, where it is known."""
    facts = [("handed in", clean(r.submitted_at))] if r.submitted_at else []
    for key, name, unit in (
        ("wall_s", "ran for", "s"),
        ("cpu_s", "computing", "s"),
        ("max_rss_mb", "memory at most", "MB"),
    ):
        value = r.run.get(key)
        if isinstance(value, int | float) and value > 0:
            facts.append((name, f"{value:.0f} {unit}" if value >= 10 else f"{value:.1f} {unit}"))
    end = r.run.get("exit")
    if isinstance(end, str) and end != "done":
        facts.append(("ended", clean(end)))
    return facts


def _task(task: student.Task, causes: Mapping[str, int], told: Collection[str]) -> View:
    """A task's checks; of those that are `told` elsewhere on the page, what was seen is not told
    again.
    """
    lines = [(c, _check(c, causes)) for c in task.checks]
    for c, view in lines:
        view["message"] = "" if c.id in told else view["message"]
    return {
        "name": task.name,
        "score": points(task.score),
        "max_score": points(task.max_score),
        "open": [view for c, view in lines if c.status is not Status.PASSED],
        "passed": [view for c, view in lines if c.status is Status.PASSED],
    }


def _check(c: CheckResult, causes: Mapping[str, int]) -> View:
    """One line; `cause` is the number of what to mend for it, 0 where there is none."""
    return {
        "status": STATUS[c.status],
        "title": clean(c.title),
        "score": "-" if c.status in _OPEN else points(c.score),
        "max_score": points(c.max_score),
        "cause": causes.get(c.id, 0),
        "rubric": [(points(p), clean(line)) for p, line in c.rubric],
        "answer": clean(c.answer, lines=True),
        "message": student.shortened(c.message),
        "decided": [clean(a.words) for a in c.adjusted],
    }


def _versions(results: Sequence[Result]) -> str:
    """The environment of a student's results, as one phrase."""
    seen = {f"{k} {v}" for r in results for k, v in r.environment.items() if isinstance(v, str)}
    return clean(", ".join(sorted(seen)))
