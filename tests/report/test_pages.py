"""The report: complete, escaped, self-contained, and as discreet as the course wants it."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from autograder.course.config import Course
from autograder.errors import GraderError
from autograder.model import CheckResult, ErrorInfo, LoadReport, Result, Status, Visibility
from autograder.report import pages as report
from autograder.results import files

A = "04-training-loop"
EVIL = "<script>alert('x')</script><img src=x onerror=y>\x1b[31m\u202e"


def check(name: str, status: Status = Status.PASSED, **extra: object) -> CheckResult:
    score = {Status.PASSED: 2.0, Status.PARTIAL: 1.0}.get(status, 0.0)
    base: dict[str, object] = {
        "id": name,
        "title": f"title of {name}",
        "task": 1,
        "status": status,
        "score": score,
        "max_score": 2.0,
        "visibility": Visibility.HIDDEN,
    }
    return CheckResult(**{**base, **extra})  # type: ignore[arg-type]


def result(student: str, *checks: CheckResult, **extra: object) -> Result:
    base: dict[str, object] = {
        "assignment": A,
        "student": student,
        "submission": "sha256:0",
        "status": "graded",
        "score": sum(c.score for c in checks),
        "max_score": sum(c.max_score for c in checks),
        "checks": checks,
        "run": {"wall_s": 2.5, "exit": "done"},
    }
    return Result(**{**base, **extra})  # type: ignore[arg-type]


def course(hidden: str = "full") -> Course:
    return Course.model_validate(
        {"course": "DL & <more>", "assignments": [A], "feedback": {"hidden": hidden}}
    )


def page(out: Path, student: str) -> str:
    path = out / "report" / report._page(student)
    return path.read_text(encoding="utf-8")


class Tags(HTMLParser):
    """Every element with its attributes, and a complaint about what is not closed."""

    VOID = frozenset({"meta", "br", "img", "link", "input"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def graded(tmp_path: Path) -> Path:
    bad = check(
        "zero",
        Status.FAILED,
        bugs=("missing_zero_grad",),
        message=f"left over {EVIL}",
        help="A backward pass adds.  See `.grad` and `<b>`.",
    )
    files.write_result(tmp_path, result("alice", check("shape"), check("zero")))
    files.write_result(
        tmp_path,
        result(EVIL, check("shape", visibility=Visibility.PUBLIC), bad, notes=(f"note {EVIL}",)),
    )
    files.write_result(
        tmp_path,
        result("zoe", status="ungradable", notes=("not taken in: two programs",), max_score=4.0),
    )
    load = LoadReport(
        "done",
        (ErrorInfo("NameError", f"name {EVIL}", 3, 1, f"trace {EVIL}"),),
        output=f"\x1b]0;owned\x07epoch 1 {EVIL}\n" + "x" * 30_000,
    )
    files.write_evidence(files.evidence_folder(tmp_path, EVIL, A), load, {})
    return tmp_path


def pages(out: Path) -> list[Path]:
    return sorted((out / "report").rglob("*.html"))


def test_every_page_is_sound_sealed_and_escaped(graded: Path) -> None:
    index = report.write(graded, course())
    assert index == graded / "report" / "index.html" and len(pages(graded)) == 4
    for path in pages(graded):
        html = path.read_text(encoding="utf-8")
        tags = Tags(html)
        assert tags.open == []
        names = {t for t, _ in tags.seen}
        assert not names & {"script", "img", "link", "iframe", "object", "form"}
        for _, attrs in tags.seen:
            assert "style" not in attrs and not any(a.startswith("on") for a in attrs)
            assert "//" not in (attrs.get("href") or "") and "src" not in attrs
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e]", html)


def test_the_content_policy_names_the_very_stylesheet(graded: Path) -> None:
    html = report.write(graded, course()).read_text(encoding="utf-8")
    style = html.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None
    assert policy[1].startswith(f"default-src 'none'; style-src 'sha256-{digest}'")
    assert "unsafe" not in policy[1] and "@import" not in style and "url(" not in style


def test_the_index_tells_a_class(graded: Path) -> None:
    html = report.write(graded, course()).read_text(encoding="utf-8")
    assert "<h1>DL &amp; &lt;more&gt;</h1>" in html
    assert "2 graded · mean 3 · median 3 of 4 points" in html
    assert "<code>missing_zero_grad</code>" in html and "A backward pass adds." in html
    assert "not taken in: two programs" in html and "Needs a person" in html
    assert ">1 of 2<" in html and ">2 of 2<" in html
    for name in ("alice", EVIL, "zoe"):
        assert f'href="{report._page(name)}"' in html
        assert (graded / "report" / report._page(name)).is_file()


def test_a_student_sees_what_happened_and_what_it_teaches(graded: Path) -> None:
    report.write(graded, course())
    html = page(graded, EVIL)
    assert '<strong>2</strong><span class="soft">of 4 points' in html
    for part in ("✗</span> not passed", "✓</span> passed", "left over &lt;script&gt;"):
        assert part in html
    assert "<code>.grad</code> and <code>&lt;b&gt;</code>" in html
    assert "A backward pass adds." in html and "NameError at line 3 of code cell 2" in html
    assert "epoch 1" in html and "owned" not in html and "the first 20,000 characters" in html
    assert "alice" not in html, "nobody sees another's name"
    assert "not a zero" in page(graded, "zoe")


def test_every_status_has_a_word_and_an_icon(tmp_path: Path) -> None:
    checks = [check(s.value, s, message="m") for s in Status]
    files.write_result(tmp_path, result("alice", *checks))
    report.write(tmp_path, course())
    html = page(tmp_path, "alice")
    for status in Status:
        view = report.STATUS[status]
        assert f"{view['icon']}</span> {view['words']}" in html
    assert len({(v["icon"], v["words"]) for v in report.STATUS.values()}) == len(Status)
    index = (tmp_path / "report/index.html").read_text(encoding="utf-8")
    assert "Needs a person" in index, "an ungradable check is shown to the staff"


@pytest.mark.parametrize("hidden", ["full", "title", "none"])
def test_feedback_is_as_open_as_the_course_says(graded: Path, hidden: str) -> None:
    report.write(graded, course(hidden))
    html = page(graded, EVIL)
    assert ("title of zero" in html) == (hidden != "none")
    assert ("left over" in html) == ("missing_zero_grad" in html) == (hidden == "full")
    assert ("A backward pass adds." in html) == (hidden == "full")
    assert ("1 hidden checks, worth 2 points, are not shown" in html) == (hidden == "none")
    assert "title of shape" in html
    index = (graded / "report/index.html").read_text(encoding="utf-8")
    assert "missing_zero_grad" in index, "the staff see everything"


def test_the_histogram_counts_everyone_once() -> None:
    shares = [0.0, 0.05, 0.1, 0.3, 0.7, 0.999, 1.0, 1.0]
    bins = report._histogram(shares)
    assert [b["count"] for b in bins] == [2, 1, 0, 1, 0, 0, 0, 1, 0, 3]
    assert all(0 <= b["height"] <= 100 and b["y"] + b["height"] == 125 for b in bins)


def test_the_same_grades_give_the_same_pages_and_stale_ones_go(graded: Path) -> None:
    report.write(graded, course())
    before = {p: p.read_bytes() for p in pages(graded)}
    report.write(graded, course())
    assert {p: p.read_bytes() for p in pages(graded)} == before
    files.result_path(graded, "alice", A).unlink()
    report.write(graded, course())
    assert len(pages(graded)) == 3


def test_an_empty_class_and_a_broken_result(tmp_path: Path) -> None:
    assert "students" in report.write(tmp_path, None).read_text(encoding="utf-8")
    broken = tmp_path / "results" / "bob"
    broken.mkdir(parents=True)
    (broken / "x.json").write_text("{}")
    with pytest.raises(GraderError, match="is not a result of ours"):
        report.write(tmp_path, None)
