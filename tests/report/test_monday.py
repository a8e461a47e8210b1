"""The page for the next lesson: the right counts, nobody's name, and programs that print what it
says.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import warnings
from html import unescape
from pathlib import Path

import pytest
import torch

from autograder.bugs import BUGS
from autograder.report import beats, monday
from autograder.report import pages as report
from autograder.results import files, roster
from tests.report.test_pages import EVIL, Tags, check, course, result

DEMOS = sorted(monday.DEMOS.glob("*.py"))
LOOP = {"letters": "fbsfbsfbsfbs", "spans": [{"letter": 0, "function": "anna_trains"}]}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Two bugs: `missing_step` of three students, `missing_zero_grad` of two in two assignments."""
    for student, assignment, bugs in (
        ("anna", "04-training-loop", ("missing_zero_grad", "missing_step")),
        ("anna", "05-five-beats", ("missing_zero_grad",)),
        (EVIL, "04-training-loop", ("missing_step",)),
        ("carl", "04-training-loop", ("missing_step", "<i>no_such_bug")),
        ("dora", "05-five-beats", ("missing_zero_grad",)),
        ("emil", "05-five-beats", ()),
    ):
        line = check("a", bugs=bugs, message=f"message {EVIL}", help="help")
        files.write_result(tmp_path, result(student, line, assignment=assignment))
    files.write_result(
        tmp_path, result("zenobia", check("a", bugs=("nan_loss",)), status="ungradable")
    )
    folder = files.evidence_folder(tmp_path, "anna", "04-training-loop")
    folder.mkdir(parents=True)
    (folder / "loop.json").write_text(json.dumps({"data": LOOP}))
    report.write(tmp_path, course())
    return tmp_path


def page(out: Path) -> str:
    return (out / "report" / "monday.html").read_text(encoding="utf-8")


def counts(html: str) -> list[list[str]]:
    """The rows of the table, as their cells' text."""
    rows = re.findall(r"<tr>(<th scope=\"row\">.*?)</tr>", html, re.DOTALL)
    return [[unescape(re.sub(r"<.*?>", "", c)) for c in r.split("</t")][:5] for r in rows]


def test_bugs_come_by_frequency_with_their_counts(out: Path) -> None:
    rows = [[re.sub(r"^[hd]>", "", c) for c in row[:4]] for row in counts(page(out))]
    assert rows == [
        ["missing_step", "3", "3", ""],
        ["missing_zero_grad", "2", "1", "2"],
        ["<i>no_such_bug", "1", "1", ""],
    ], "students and not works are counted; what could not be graded is not"
    assert "3 of 5" in page(out) and "2 of 5" in page(out)


def test_each_bug_has_its_belief_its_question_and_its_program(out: Path) -> None:
    text = unescape(re.sub(r"<.*?>", "", page(out)))
    for bug in ("missing_step", "missing_zero_grad"):
        known, demo = BUGS[bug], monday.demo(bug)
        for words in (known.meaning, known.belief, known.question, known.help):
            assert words.replace("`", "") in text
        assert demo is not None and demo.code in text and demo.prints in text


def test_nobody_is_named_and_nothing_is_asked_of_anyone(out: Path) -> None:
    html = page(out)
    tags = Tags(html)
    assert tags.open == [] and not {t for t, _ in tags.seen} & {"script", "img", "link", "form"}
    assert all(a.get("href", "#").startswith("#") for t, a in tags.seen if t == "a")  # type: ignore[union-attr]
    for name in ("anna", "carl", "dora", "emil", "zenobia", "alert(", "students/", "<i>"):
        assert name not in html, name


def test_a_loop_of_the_class_stands_by_the_bug_that_it_shows(out: Path) -> None:
    zero, step = page(out).split('aria-labelledby="missing_zero_grad"')[1], page(out)
    assert "in this class" in zero and "missing" in zero and "anna_trains" not in zero
    step = step.split('aria-labelledby="missing_step"')[1].partition("</section>")[0]
    assert "in this class" not in step, "its loops step: the letters do not show this bug"


def test_the_bugs_that_mark_a_beat_are_those_of_the_catalogue() -> None:
    source = Path(beats.__file__).read_text(encoding="utf-8")
    named = set(re.findall(r'"(\w+)" in bugs', source)) | set(beats._LOSSES)
    assert named == beats.MARKS and named <= set(BUGS)


def test_the_classs_page_leads_to_it(out: Path) -> None:
    index = (out / "report" / "index.html").read_text(encoding="utf-8")
    links = set(re.findall(r'href="(monday\.html[^"]*)"', index))
    assert {"monday.html", "monday.html#missing_step"} <= links
    ids = set(re.findall(r'id="([^"]+)"', page(out)))
    assert {link.partition("#")[2] for link in links} - {""} <= ids


def test_a_class_without_bugs_has_no_page_of_them(tmp_path: Path) -> None:
    files.write_result(tmp_path, result("anna", check("a")))
    report.write(tmp_path, course())
    assert "No known bug" in page(tmp_path)
    assert "monday.html" not in (tmp_path / "report" / "index.html").read_text(encoding="utf-8")


def test_a_section_has_its_own_counts_and_a_stale_page_goes(out: Path) -> None:
    (out / roster.NAME).write_text("student_id,section\nanna,A\ndora,B\nemil,B\n")
    (out / "report" / "monday-old.html").write_text("of a section that is no more")
    report.write(out, course())
    b = (out / "report" / "monday-B.html").read_text(encoding="utf-8")
    assert "missing_step" not in b and "1 of 2" in b
    assert not (out / "report" / "monday-old.html").exists()


@pytest.mark.parametrize("path", DEMOS, ids=lambda p: p.stem)
def test_a_demonstration_prints_what_the_page_says(path: Path) -> None:
    demo = monday.demo(path.stem)
    assert demo is not None, "it is called after a bug of the catalogue"
    assert len(demo.code.splitlines()) <= 24, "two minutes"
    printed = io.StringIO()
    with torch.random.fork_rng(), warnings.catch_warnings(), contextlib.redirect_stdout(printed):
        warnings.simplefilter("ignore")
        exec(compile(demo.code, str(path), "exec"), {"__name__": path.stem})
    assert printed.getvalue().rstrip("\n") == demo.prints and demo.prints


def test_what_costs_most_classes_can_be_shown() -> None:
    silent = {b.id for b in BUGS.values() if b.taught} - {p.stem for p in DEMOS}
    assert silent == {
        *("borrowed", "missing_name", "wrong_value", "wrong_history"),
        *("wrong_architecture", "wrong_checkpoint"),
    }, "these are of one assignment's own words"
