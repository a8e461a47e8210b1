"""What a regrading changed: everything, before and after, safe to open."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

from autograder.model import Result, Status
from autograder.report import pages
from autograder.results import changes
from autograder.results.totals import Rows
from tests.results.test_adjustments import check, result


def told(before: Result, after: Result) -> list[dict[str, str]]:
    found = changes.between(Rows((before,)), Rows((after,)))
    return list(csv.DictReader(io.StringIO(changes.table(found).decode())))


def test_nothing_changes_in_silence() -> None:
    old = result()
    worded = replace(old.checks[0], message="=HYPERLINK(1) was seen")
    swapped = replace(old, checks=(worded, *old.checks[1:]))
    (line,) = told(old, swapped)
    assert (line["before"], line["after"]) == ("2", "2"), "another reason for the same points"
    assert line["why_after"].startswith("'=HYPERLINK")
    assert told(old, old) == []
    moved = replace(old.checks[0], score=1.0), replace(old.checks[1], score=3.0)
    lines = told(old, replace(old, checks=(*moved, old.checks[2])))
    assert [x["check"] for x in lines] == ["one", "two"], "though the total is as it was"


def test_checks_that_come_and_go_are_told() -> None:
    old = result()
    new = replace(old, checks=(*old.checks[1:], check("three", 1.0)), score=5.0)
    lines = {x["check"]: (x["before"], x["after"]) for x in told(old, new)}
    assert lines == {"total": ("6", "5"), "one": ("2", ""), "three": ("", "1")}


def test_what_could_not_be_graded_has_no_points_on_that_side() -> None:
    old = replace(result(), status="ungradable", notes=("the grader failed",))
    (line,) = [x for x in told(old, result()) if x["check"] == "total"]
    assert (line["before"], line["after"], line["status_before"]) == ("", "6", "ungradable")
    assert line["why_before"] == "the grader failed"


def test_the_page_says_it_in_words_and_runs_nothing(tmp_path: Path) -> None:
    old, path = result("<b>eve</b>"), tmp_path / "x.html"
    better = replace(old.checks[0], score=4.0, status=Status.PASSED, bugs=())
    new = replace(old, checks=(better, *old.checks[1:]), score=8.0)
    pages.regraded(path, changes.between(Rows((old,)), Rows((new,))))
    html = path.read_text()
    assert "&lt;b&gt;eve" in html and "<b>eve" not in html and "<script" not in html
    assert "1 with more points, 0 with fewer" in html and "2 / 4" in html and "4 / 4" in html
