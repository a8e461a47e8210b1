"""What students write, shown to others: names, files, prints, errors and messages stay text.

One class whose every word is an injection goes the whole way: intake, a grader that repeats
what it was given, results, table, pages, and the table on the terminal.
"""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from autograder.cli import terminal
from autograder.course.config import Assignment
from autograder.grading import batch
from autograder.intake.collect import collect
from autograder.model import (
    CheckResult,
    ErrorInfo,
    Graded,
    LoadReport,
    Result,
    Status,
    Submission,
    Visibility,
)
from autograder.report import pages as report
from autograder.report.html import TEMPLATES

ID = "05-five-beats"
INJECTIONS = {
    "script": "<script>alert(1)</script>",
    "handler": "<img src=x onerror=alert(1)>",
    "attribute": "\"><svg onload=alert(1)> ' onmouseover='alert(1)",
    "entity": "&lt;script&gt;alert(1)&#60;/script>",
    "template": "{{ 7 * 7 }}{% for x in () %}${7*7}",
    "code_mark": "`<b onclick=alert(1)>`",
    "formula": '=HYPERLINK("http://x.example","open")',
    "command": "=cmd|' /C calc'!A0",
    "plus": "+1+1",
    "minus": "-2+3",
    "at": "@SUM(A1:A9)",
    "full_width": "＝1+1",  # noqa: RUF001
    "tab": "\t=1+1",
    "row": 'a","graded","20"\r\nmallory,05-five-beats,graded,20',
    "colours": "\x1b[31mred\x1b[2J\x1b[H",
    "title": "\x1b]0;owned\x07",
    "link": "\x1b]8;;http://x.example\x1b\\open\x1b]8;;\x1b\\",
    "eight_bit": "\x9b31mred",
    "bell": "\a\b\b\b\bpassed\r20 / 20",
    "bidi": "\u202egnp.exe\u2066\u2069",
    "unseen": "ali\u200bce\ufeff\u00ad",
    "lines": "a\u2028b\u2029c\x85d",
    "markup": "[bold red]x[/bold red][link=http://x.example]y[/link]",
    "broken_markup": "[/]",
    "null": "c\0d",
    "surrogate": "a\ud800b",
    "long": "x" * 5000,
}
UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)


class Echo:
    """A grader that repeats the submission's own words wherever a result has room for words."""

    def assignment(self, assignment: str, /) -> Assignment:
        checks = [{"id": "one", "use": "u", "title": "One", "task": 1, "points": 2.0}]
        return Assignment.model_validate(
            {"id": ID, "title": "T", "version": 1, "module": "five_beats", "checks": checks}
        )

    def grade(self, s: Submission, /) -> Graded:
        words = INJECTIONS[s.program.text.strip().removeprefix("# ")]
        hidden = Visibility.HIDDEN
        checks = (
            CheckResult("one", words, 1, Status.FAILED, 0.0, 1.0, hidden, ("b",), words, words),
            CheckResult("two", "Two", 1, Status.PASSED, 1.0, 1.0, hidden, (), words, words),
        )
        result = Result(
            ID, s.student, s.digest, "graded", 1.0, 2.0, checks, (words,),
            run={"wall_s": 1.0, "exit": words},
        )  # fmt: skip
        error = ErrorInfo(words, words, 3, 1, words)
        return Graded(
            result, LoadReport("done", (error,), (words,), words, {"said": words}, words), {}
        )


class Page(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graded class: student i is named by injection i, as far as a file name can be."""
    root = tmp_path_factory.mktemp("injected")
    (root / "class").mkdir()
    for key, words in INJECTIONS.items():
        name = words.replace("/", "\u2215").replace("\0", "").encode("utf-8", "ignore")[:200]
        text = f"# {key}\n"
        (root / "class" / (name.decode("utf-8", "ignore").strip(". ") + ".py")).write_text(text)
    found, refused = collect([root / "class"], ID, {ID: "five_beats"})
    assert len(found) == len(INJECTIONS) and not refused
    batch.run(Echo(), found, refused, root / "out")
    report.write(root / "out")
    return root / "out"


def test_no_page_holds_anything_but_text(out: Path) -> None:
    pages = sorted((out / "report").rglob("*.html"))
    assert len(pages) == 2 + len(INJECTIONS), "the class, the lesson, and each student"
    plain = {"script", "img", "svg onload", "iframe", "object", "form", "link", "base", "embed"}
    ours = (TEMPLATES / "table.js").read_text(encoding="utf-8")
    for path in pages:
        html = path.read_text(encoding="utf-8")
        if path.name == "index.html":  # the one script is our own, byte for byte
            assert html.count(f"<script>{ours}</script>") == 1
            html = html.replace(f"<script>{ours}</script>", "")
        page = Page(html)
        assert not {tag for tag, _ in page.tags} & plain, path
        for tag, attrs in page.tags:
            assert not any(name.startswith("on") or name == "style" for name in attrs), (path, tag)
            href = attrs.get("href") or ""
            assert "//" not in href and not href.lower().startswith(("javascript", "data")), path
        assert not UNSEEN.search(html), path
        assert "49" not in re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL) or (
            "{{ 7 * 7 }}" in html
        )


def test_the_table_has_one_row_each_and_no_formula(out: Path) -> None:
    text = (out / "grades.csv").read_text(encoding="utf-8")
    assert not UNSEEN.search(text)
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == 1 + len(INJECTIONS) == len(text.splitlines())
    for row in rows[1:]:
        assert row[2:5] == ["graded", "1", "2"]
        assert not any(c.startswith(("=", "+", "@", "-", "\t", "＝")) for c in row), row  # noqa: RUF001


def test_no_file_lies_outside_its_folder(out: Path) -> None:
    for path in out.rglob("*"):
        assert re.fullmatch(r"[A-Za-z0-9._-]+", path.name), path
    assert sorted(p.name for p in out.parent.iterdir()) == ["class", "out"]


def test_the_terminal_is_told_text(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from autograder.results import files

    results = files.read_results(out)
    assert len(results) == len(INJECTIONS)
    terminal.table(results)
    for result in results:
        folder = files.evidence_folder(out, result.student, result.assignment)
        load = files.read_load(folder)
        assert load is not None
        terminal.checked(result, load)
    told = capsys.readouterr().out
    assert not UNSEEN.search(told)
    assert "[bold red]x[" in told and "[/]" in told
