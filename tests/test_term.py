"""A term acted out: a roster of 40, three assignments, and all that happens to a class.

The programs are run by a grader that reads its answer off their text, and the judge is one that can
be corrected; everything else is the real thing: store, record, rows, pages and exports. What every
student must have is worked out here a second time, by hand and without any of it.
"""

from __future__ import annotations

import csv
import json
import shlex
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from nbgrader.api import Gradebook
from typer.testing import CliRunner

from autograder.cli import main as cli
from autograder.course import config
from autograder.course.config import Assignment, Course
from autograder.exports import canvas, moodle, nbgrader
from autograder.exports.base import Export
from autograder.grading import batch, regrade
from autograder.model import (
    CheckResult,
    Graded,
    LoadReport,
    Program,
    Result,
    Status,
    Submission,
    Visibility,
    total,
)
from autograder.report import pages
from autograder.results import adjustments, files, provenance, roster, totals
from autograder.results.provenance import Provenance, Rules, Run

IDS = ("week-1", "week-2", "week-3")
DUE = {"week-1": "2026-10-05T23:59:00+02:00", "week-2": "2026-10-19T23:59:00+02:00"}
NOW = datetime(2026, 12, 1, tzinfo=UTC)
RULES = Rules(1, "abc", {})
WHY = "the judge was too strict with shapes"


def name_of(i: int) -> str:
    return f"s{1000 + i}"


def word(i: int) -> str:
    """A number in letters."""
    return chr(97 + i // 26) + chr(97 + i % 26)


def write_roster(path: Path, *, without: frozenset[int] = frozenset()) -> Path:
    """Forty people in two sections; the first four make two groups."""
    rows = ["student_id,name,email,section,group"]
    for i in range(40):
        group = f"team {i // 2}" if i < 4 else ""
        if i not in without:
            rows.append(
                f'{name_of(i)},"Last{word(i)}, First{word(i)}",p{i}@uni.edu,{"AB"[i % 2]},{group}'
            )
    path.write_text("\n".join(rows) + "\n")
    return path


# -- a grader whose answer stands in the program --------------------------------------------------


def checks_of(text: str, *, strict: bool) -> tuple[CheckResult, ...]:
    """`a 1.25 shape` has 1.25 of the 2 points of the first check and an unusual shape, for which a
    strict judge gives nothing of the 3 points of the second; `essay` is a person's.
    """
    word, points, *more = text.split()
    odd = strict and "shape" in more
    return (
        CheckResult(
            "area", "The area", 1, Status.PARTIAL, float(points), 2.0, Visibility.PUBLIC,
            message="" if points == "2" else "the area is off",
        ),
        CheckResult(
            "shape", "The shape", 2, Status.FAILED if odd else Status.PASSED,
            0.0 if odd else 3.0, 3.0, Visibility.HIDDEN, message="an odd shape" if odd else "",
        ),
        CheckResult(
            "task1-why", "Why", 1, Status.BY_HAND, 0.0, 4.0, Visibility.HIDDEN,
            rubric=((4.0, "says why"),), answer=word,
        ),
    )  # fmt: skip


def judged(text: str, student: str, assignment: str, digest: str, *, strict: bool) -> Result:
    found = checks_of(text, strict=strict)
    score, most, _ = total(found)
    return Result(assignment, student, digest, "graded", score, most, found)


@dataclass
class Fake:
    """A grader of every assignment; `dies` may end it."""

    dies: Callable[[Submission], None] = lambda s: None
    ran: int = 0

    def assignment(self, assignment: str, /) -> Assignment:
        check = {"id": "area", "use": "u", "title": "The area", "task": 1, "points": 2.0}
        raw = {"id": assignment, "title": "T", "version": 1, "module": "circles", "checks": [check]}
        return Assignment.model_validate(raw)

    def grade(self, s: Submission, /) -> Graded:
        self.dies(s)
        self.ran += 1
        found = judged(s.program.text, s.student, s.assignment, s.digest, strict=True)
        return Graded(found, LoadReport("done", output=s.program.text))


class Judges:
    """What `regrade` asks of the course, without one."""

    def __init__(self, rules: Course) -> None:
        self.course = rules

    def ids(self) -> list[str]:
        return list(IDS)

    def images(self, assignment: str) -> dict[str, provenance.Images]:
        return {}

    def rules(self, assignment: str) -> Rules:
        return RULES

    def world(self, result: Result) -> str:
        return result.assignment


# -- the term --------------------------------------------------------------------------------------


class Term:
    """A course with its folder of grades, and the commands of a term."""

    def __init__(self, root: Path) -> None:
        self.root, self.out = root, root / "out"
        settings = {
            "course": "Term",
            "assignments": list(IDS),
            "due": DUE,
            "group_work": ["week-2"],
            "roster": "roster.csv",
            "late": {
                "grace_minutes": 15,
                "per_day": 0.1,
                "cap": 0.5,
                "zero_after_days": 14,
                "extensions": {"week-1": {"s1008": "2026-10-08T23:59:00+02:00"}},
            },
        }
        (root / "grading_config.yml").write_text(yaml.safe_dump(settings))
        write_roster(root / "roster.csv")

    @property
    def rules(self) -> Course:
        return config.load(self.root / "grading_config.yml", Course)

    def grade(
        self, assignment: str, handed: dict[str, tuple[str, str]], grader: Fake | None = None
    ) -> batch.Batch:
        """Grade a class: by student, the program's text and when it came."""
        works = [
            Submission(
                student, assignment, Program("script", "circles.py", (text,)),
                {"circles.py": text.encode()}, when,
            )
            for student, (text, when) in handed.items()
        ]  # fmt: skip
        homes = dict.fromkeys(handed, "/")
        record = {assignment: provenance.Graded(RULES, homes, ("/class",))}
        run = Run(Provenance("cpu", {}, record, str(self.root)), whole_class=True)
        who = roster.chosen(self.out, None, self.root / "roster.csv")
        fake = grader or Fake()
        done = batch.run(fake, works, [], self.out, course=self.rules, told=run, people=who, jobs=2)
        pages.write(self.out, self.rules)
        return done

    def rows(self) -> dict[tuple[str, str], Result]:
        found = totals.rows(self.out, self.rules, now=NOW).results
        here = [r for r in found if not r.gone]
        return {(r.person.get("student_id", r.student), r.assignment): r for r in here}

    def score(self, student: int, week: int) -> float | None:
        row = self.rows()[name_of(student), IDS[week - 1]]
        return row.score if row.scored else None

    def adjust(self, command: str) -> str:
        done = CliRunner().invoke(cli.app, ["adjust", str(self.out), *shlex.split(command)])
        assert done.exit_code == 0, done.output or done.exception
        return done.output


CELLS = nbgrader.Cells(
    "circles",
    {"g-area": ("area",), "g-shape": ("shape",)},
    {"g-area": 2.0, "g-shape": 3.0},
    {"task1-why": 4.0},
    {},
)
IN_TIME = {week: f"2026-10-0{week}T12:00:00+02:00" for week in (1, 2, 3)}


def first_week() -> dict[str, tuple[str, str]]:
    """38 of 40: 36 in time, one a day late, one with an extension; every fifth has an odd shape."""
    handed = {}
    for i in range(38):
        text = f"w1-{i} {(i % 5) * 0.5:g}" + (" shape" if i % 5 == 4 else "")
        handed[name_of(i)] = (text, IN_TIME[1])
    handed["s1007"] = (handed["s1007"][0], "2026-10-06T20:00:00+02:00")
    handed["s1008"] = (handed["s1008"][0], "2026-10-07T20:00:00+02:00")
    return handed


def expected_first_week(i: int, *, strict: bool) -> float:
    raw = (i % 5) * 0.5 + (0.0 if strict and i % 5 == 4 else 3.0)
    return raw - 0.5 if i == 7 else raw  # a day begun: a tenth of 5


@pytest.fixture
def term(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Term:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(adjustments, "who", lambda: "ada")
    return Term(tmp_path)


def test_a_term(term: Term, monkeypatch: pytest.MonkeyPatch) -> None:
    out = term.out
    # Week 1, broken off in the middle and given again.
    seen: list[str] = []

    def once(s: Submission) -> None:
        seen.append(s.student)
        if len(seen) == 10:
            raise KeyboardInterrupt

    first = term.grade("week-1", first_week(), Fake(dies=once))
    assert first.waiting > 0
    again = Fake()
    done = term.grade("week-1", first_week(), again)
    assert done.waiting == 0 and len(done.results) == 38
    assert again.ran <= 30, "what was finished is not run a second time"
    table = (out / "grades.csv").read_bytes()
    for i in range(38):
        assert term.score(i, 1) == expected_first_week(i, strict=True), i
    assert term.score(38, 1) == term.score(39, 1) == 0.0, "two weeks after it was due"
    idle = Fake()
    term.grade("week-1", first_week(), idle)
    assert idle.ran == 0 and (out / "grades.csv").read_bytes() == table, "safe to repeat"

    # Week 2 is group work: one hands in for two; one goes by another name; one has dropped out.
    write_roster(term.root / "roster.csv", without=frozenset((37,)))
    second = {name_of(i): (f"w2-{i} 2", IN_TIME[2]) for i in range(40) if i not in (1, 3, 36, 37)}
    second[f"first{word(36)} last{word(36)}"] = ("w2-36 1", IN_TIME[2])
    second["p3@uni.edu"] = ("w2-3 0.25", "2026-10-20T10:00:00+02:00")
    term.grade("week-2", second)
    assert term.score(0, 2) == term.score(1, 2) == 5.0, "one grade per group"
    assert term.score(2, 2) == term.score(3, 2) == 2.75, "the newest, with what its day costs"
    assert term.score(36, 2) == 4.0
    assert (name_of(37), "week-2") not in term.rows()
    asked = [r.student for r, _ in totals.rows(out, term.rules, now=NOW).questions]
    assert asked == ["s1037"], "who is not on the roster any more, in week 1"

    # Persons decide: points by hand for all, a change, a bonus, an exam on paper.
    lines = "student,assignment,check,points,change,reason,bonus\n"
    lines += "".join(f"{name_of(i)},week-1,task1-why,{i % 5},,read,\n" for i in range(37))
    lines += "p5@uni.edu,week-1,area,,2,found our mistake,yes\ns1006,week-1,total,,-0.25,copied,\n"
    Path("hand.csv").write_text(lines)
    term.adjust("--file hand.csv --by kim")
    assert term.adjust("--file hand.csv --by kim").count("stands already") == 39
    term.adjust("s1038 total 3 -a week-1 --reason 'on paper'")

    def hand(i: int, *, strict: bool) -> float:
        late = 0.4 if i == 7 else 0.0  # the tenth is of 9 now
        extra = {5: 2.0, 6: -0.25}.get(i, 0.0)
        return round(expected_first_week(i, strict=strict) + i % 5 - late + extra, 4)

    def check_first(*, strict: bool) -> None:
        for i in range(37):
            assert term.score(i, 1) == hand(i, strict=strict), i
        assert term.score(38, 1) == 3.0 and term.score(39, 1) == 0.0

    check_first(strict=True)

    # Somebody hands in again: nothing of it is lost, and a person is asked.
    newer = first_week()
    newer["s1010"] = ("w1-10b 1.5", IN_TIME[1])
    term.grade("week-1", newer)
    assert term.score(10, 1) == 4.5 and hand(10, strict=True) == 3.0
    (why,) = [w for r, w in totals.rows(out, term.rules).questions if r.student == "s1010"]
    assert "about an earlier submission; it still counts" in why
    term.grade("week-1", first_week())
    check_first(strict=True)

    # The judge is corrected; a regrading dies in between and is given again.
    kept = {p.name for p in (out / "evidence").rglob("*")}
    assert kept

    def corrected(
        world: str, digest: str, student: str, load: LoadReport, *rest: object, **more: object
    ) -> Result:
        new = judged(load.output, student, world, digest, strict=False)
        return replace(new, submitted_at=str(more["submitted_at"]))

    monkeypatch.setattr(regrade, "judge_again", corrected)
    real, writes = files.write_result, []

    def dying(folder: Path, result: Result) -> None:
        writes.append(result)
        if len(writes) == 4:
            raise KeyboardInterrupt
        real(folder, result)

    monkeypatch.setattr(files, "write_result", dying)
    judges = Judges(term.rules)
    with pytest.raises(KeyboardInterrupt):
        regrade.run(judges, out)  # type: ignore[arg-type]
    monkeypatch.setattr(files, "write_result", real)
    check_table = sorted((out / "regrades").glob("*.csv"))
    with check_table[0].open(newline="") as f:
        told = {(r["student"], r["check"]): r for r in csv.DictReader(f)}
    assert {s for s, c in told if c == "total"} == {name_of(i) for i in range(38) if i % 5 == 4}
    assert (told["s1004", "shape"]["before"], told["s1004", "shape"]["after"]) == ("0", "3")
    assert told["s1004", "shape"]["why_before"] == "an odd shape"
    regrade.run(judges, out)  # type: ignore[arg-type]
    before = (out / "grades.csv").read_bytes()
    check_first(strict=False)
    last = regrade.run(judges, out)  # type: ignore[arg-type]
    assert not last.changed and last.table is None
    assert (out / "grades.csv").read_bytes() == before, "safe to repeat"

    # Week 3 has no due time: who handed in nothing has no zero.
    term.grade("week-3", {name_of(i): (f"w3-{i} 2", "") for i in range(20)})
    assert term.score(5, 3) == 5.0 and term.score(25, 3) is None
    check_first(strict=False)
    log = json.loads((out / adjustments.NAME).read_text())["adjustments"]
    assert len(log) == 40 and {a["by"] for a in log} == {"kim", "ada"}
    _exports(term, hand, monkeypatch)


def _order(term: Term, tool: str, week: str | None = None, **more: object) -> Export:
    rows = totals.rows(term.out, term.rules, now=NOW)
    here = [
        r
        for r in rows.results
        if not r.gone and week in (None, r.assignment) and (r.scored or r.status == "ungradable")
    ]
    return Export(
        term.out, term.out / "export" / tool, tuple(here), term.rules, term.root,
        lambda r: pages.feedback(term.out, [r], term.rules), **more,  # type: ignore[arg-type]
    )  # fmt: skip


def _exports(term: Term, hand: Callable[..., float], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every figure in the exports, to the cent."""
    order = _order(term, "canvas")
    canvas.export(order)
    with (order.to / "gradebook.csv").open(newline="") as f:
        book = list(csv.reader(f))
    by_id = {row[2]: row for row in book[2:]}
    assert (
        by_id["s1005"][0] == f"Last{word(5)}, First{word(5)}" and by_id["s1005"][3] == "p5@uni.edu"
    )
    for i in range(37):
        assert float(by_id[name_of(i)][5]) == hand(i, strict=False), i
        week_two = {0: 5.0, 1: 5.0, 2: 2.75, 3: 2.75, 36: 4.0}.get(i, 5.0)
        assert float(by_id[name_of(i)][6]) == week_two, i
        assert by_id[name_of(i)][7] == ("5" if i < 20 else "")
    assert [float(x) for x in by_id["s1038"][5:7]] == [3.0, 5.0]

    sheet = "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Last modified (grade)\n"
    sheet += "".join(
        f'Participant {500 + i},First{word(i)} Last{word(i)},p{i}@uni.edu,Submitted,,"100,00",-\n'
        for i in range(37)
    )
    path = term.root / "worksheet.csv"
    path.write_text(sheet)
    order = _order(term, "moodle", "week-1", gradebook=path)
    moodle.export(order)
    with (order.to / "week-1-worksheet.csv").open(newline="") as f:
        filled = list(csv.DictReader(f))
    for i, row in enumerate(filled):
        most = 9.0
        cents = float(row["Grade"].replace(",", "."))
        assert abs(cents - hand(i, strict=False) / most * 100) < 0.00005, i

    monkeypatch.setattr(nbgrader, "graded_cells", lambda root, name: CELLS)
    order = _order(term, "nbgrader", gradebook=term.root / "gradebook.db")
    rows = [r for r in order.results if r.status == "graded"]
    order = replace(order, results=tuple(rows))
    for _ in range(2):
        nbgrader.export(order)
    with warnings.catch_warnings(), Gradebook(f"sqlite:///{order.gradebook}") as gradebook:
        warnings.simplefilter("ignore")  # SQLAlchemy's, at nbgrader's use of it
        for r in rows:
            name = (
                next(s.id for s in gradebook.students if s.email == r.person.get("email", "nobody"))
                if r.person
                else r.student
            )
            kept = gradebook.find_submission(r.assignment, name)
            assert abs(kept.score - kept.late_submission_penalty - r.score) < 1e-6, name
