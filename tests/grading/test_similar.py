"""Pairs of a class as a page and a table; and the same bytes, which each grading tells."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from autograder.errors import InputError
from autograder.grading import similar
from autograder.intake.collect import UNTOUCHED
from autograder.intake.fingerprints import LISTED
from autograder.model import Program, Submission
from autograder.report import pairs
from autograder.results.totals import Rows
from tests.cli.test_main import GOOD, A, course, plain, run  # noqa: F401 - fixtures
from tests.handing import graded

EVIL = "<script>alert('x')</script>\x1b[31m\u202e"
LONG = "\n".join(f"def g{i}(a):\n    return a.p{i}(a).q{i}(a.r{i}(a), a)" for i in range(60))


def work(student: str, text: str = GOOD, **origin: Any) -> Submission:
    raw = {"x.py": text.encode()}
    return Submission(student, A, Program("script", "x.py", (text,)), raw, origin=origin)


def test_a_class_is_compared_and_no_grade_moves(
    course: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root, out = course, course / "out"
    for name, text in (
        ("alice", GOOD + LONG),
        ("emma", "# mine\n" + GOOD + re.sub(r"\ba\b", "b", LONG)),
        ("carl", GOOD),
        ("dora", GOOD + LONG.replace(".p", ".v").replace(".q", ".w").replace(".r", ".u")),
    ):
        (root / "class" / f"{name}.py").write_text(text)
    said = run("grade class -o out -a 04-training-loop").output
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file() and "store" not in p.name}
    monkeypatch.chdir(root.parent)
    said = run(f"similar {out}").output
    assert f"{A}: 1 pair alike of 5 works" in said and "alice and emma: 100 %" in said
    assert {p: p.read_bytes() for p in before} == before
    with (out / "similar" / f"{A}.csv").open() as f:
        rows = list(csv.DictReader(f))
    assert [(r["student"], r["other"], r["likeness"]) for r in rows] == [("alice", "emma", "1.00")]
    html = (out / "similar" / f"{A}.html").read_bytes()
    assert html.count(b"<mark>") >= 2
    run(f"similar {out} -a {A}")
    assert (out / "similar" / f"{A}.html").read_bytes() == html, "the same bytes each time"
    with pytest.raises(InputError, match="holds no grades of 'other'"):
        run(f"similar {out} -a other")
    (root / "class").rename(root / "elsewhere")
    with pytest.raises(InputError, match="is not there any more"):
        run(f"similar {out}")


def test_the_same_bytes_are_told_by_each_grading(course: Path) -> None:  # noqa: F811
    (course / "class" / "emma.py").write_text(GOOD)
    (course / "class" / "alice.py").write_text(GOOD)
    for _ in range(2):
        said = run("grade class -o out -a 04-training-loop").output
        assert f"{A}: the same program, byte for byte, is by alice, emma" in said


def test_a_group_and_the_handout_are_nobodys_copy() -> None:
    rows = Rows((graded("a"), graded("b"), graded("c")))
    assert similar.identical([work("b"), work("a"), work("c", "x = 2")], rows) == [(A, ["a", "b"])]
    bare = [replace(work(n), attention=(UNTOUCHED,)) for n in "ab"]
    assert similar.identical(bare, rows) == []
    tool: dict[str, Any] = {"tool": "sakai", "file": "A(a); B(b)", "group": ["A", "B"]}
    assert similar.identical([work("a", **tool), work("b", **tool)], rows) == []
    assert similar.identical([work("a", **tool), work("b", **tool), work("c")], rows) == [
        (A, ["a", "b", "c"])
    ]
    team = Rows(tuple(replace(graded(n), person={"group": "team 1"}) for n in "ab"))
    assert similar.identical([work("a"), work("b")], team) == []
    assert similar.identical([work("a"), work("b")], Rows(())) == [(A, ["a", "b"])]


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_holds_strangers_words_as_words(tmp_path: Path) -> None:
    sides = (
        pairs.Side(f"al {EVIL}", 0.9, [("shared", f"x = '{EVIL}'"), ("given", "y"), ("", "<b>")]),
        pairs.Side("bo", 0.8, [("shared", "z" * 70_000)]),
    )
    pairs.write(tmp_path / "p.html", A, 2, LISTED, [pairs.Beside(sides, 0.9, 77)])
    html = (tmp_path / "p.html").read_text()
    page = _Page()
    page.feed(html)
    assert not page.tags & {"script", "img", "link", "iframe", "object", "form", "b"}
    assert not page.attributes & {"style", "onclick", "onload", "src"}
    assert "default-src 'none'" in html and "\x1b" not in html and "\u202e" not in html
    assert "<script>alert('x')</script>" in page.text and "[the rest is not shown]" in page.text
    assert re.search(r"90 %.*80 %.*77", html, re.DOTALL)
    assert re.findall(r'href="#(pair-\d+)"', html) == re.findall(r'<section id="(pair-\d+)"', html)
