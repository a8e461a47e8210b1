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
from autograder.intake.collect import UNTOUCHED
from autograder.model import (
    RAISED,
    AlsoSeen,
    CheckResult,
    ErrorInfo,
    Lateness,
    LoadReport,
    Result,
    Status,
    Visibility,
)
from autograder.report import pages as report
from autograder.results import files
from autograder.results.store import Key, Store

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


def page(out: Path, student: str, suffix: str = ".html") -> str:
    path = (out / "report" / report._page(student)).with_suffix(suffix)
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
    assert index == graded / "report" / "index.html" and len(pages(graded)) == 5
    for path in pages(graded):
        html = path.read_text(encoding="utf-8")
        tags = Tags(html)
        assert tags.open == []
        names = {t for t, _ in tags.seen}
        assert not names & {"img", "link", "iframe", "object", "form"}
        scripts = 1 if path.name == "index.html" else 0
        assert [t for t, _ in tags.seen].count("script") == scripts
        for _, attrs in tags.seen:
            assert "style" not in attrs and not any(a.startswith("on") for a in attrs)
            assert "//" not in (attrs.get("href") or "") and "src" not in attrs
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e]", html)


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_content_policy_names_the_very_bytes_that_stand_there(graded: Path) -> None:
    report.write(graded, course())
    for path in pages(graded):
        html = path.read_text(encoding="utf-8")
        style = html.split("<style>")[1].split("</style>")[0]
        wanted = f"default-src 'none'; style-src 'sha256-{digest(style)}';"
        if path.name == "index.html":
            script = html.split("<script>")[1].split("</script>")[0]
            wanted += f" script-src 'sha256-{digest(script)}';"
            assert not re.search(r"innerHTML|eval|fetch|XMLHttp|import|//[a-z]", script)
        policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
        assert policy is not None and policy[1] == f"{wanted} base-uri 'none'; form-action 'none'"
        assert "@import" not in style and "url(" not in style


def table_of(html: str) -> str:
    return html.split('id="class"')[1].partition("</table>")[0]


def test_the_index_tells_a_class(graded: Path) -> None:
    html = report.write(graded, course()).read_text(encoding="utf-8")
    assert "<h1>DL &amp; &lt;more&gt;</h1>" in html
    assert "2 graded · mean 3 · median 3 of 4 points" in html
    assert "<code>missing_zero_grad</code>" in html and "A backward pass adds." in html
    assert "not taken in: two programs" in html and "Needs a person" in html
    assert ">1 of 2<" in html and ">2 of 2<" in html
    rows = re.findall(r'<tr><th scope="row">.*?</tr>', table_of(html), re.DOTALL)
    assert len(rows) == 3
    assert 'data-s="4" data-k="full" data-h="9">✓ 4</td>' in rows[1]
    assert 'data-s="2" data-k="some" data-c="1" data-b="0" data-h="5">◐ 2</td>' in rows[0]
    assert 'data-k="person"' in rows[2] and '<span class="tag">needs a person</span>' in rows[2]
    for pick in ("0:c:1", "0:b:0", "0:h:5", "0:h:9"):
        assert f'href="#everybody" data-pick="{pick}"' in html
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
    assert ("1 hidden check is not shown here. Hidden checks: 0 of 2 points." in html) == (
        hidden == "none"
    )
    comment = page(graded, EVIL, ".md")
    assert ("title of zero" in comment) == (hidden != "none")
    assert ("left over" in comment) == ("missing_zero_grad" in comment) == (hidden == "full")
    assert "title of shape" in html
    index = (graded / "report/index.html").read_text(encoding="utf-8")
    assert "missing_zero_grad" in index, "the staff see everything"


def test_what_own_runs_also_showed_is_told_to_all_and_is_no_bug(graded: Path) -> None:
    one = AlsoSeen("eval_augmented", "<b>the images</b> change", line=1)
    made = result("bob", check("a"), also_seen=(one,))
    files.write_result(graded, made)
    report.write(graded, course())
    said = "eval_augmented: &lt;b&gt;the images&lt;/b&gt; change (line 1)"
    assert said in page(graded, "bob") and "costs no points" in page(graded, "bob")
    comment = page(graded, "bob", ".md")
    assert "the images" in comment and "<b>" not in comment
    index = (graded / "report/index.html").read_text(encoding="utf-8")
    assert "Also seen in own runs" in index and "<code>eval_augmented</code> 1" in index
    files.write_table(graded / "grades.csv", [made])
    assert made.bugs == () and "eval_augmented" not in (graded / "grades.csv").read_text()


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
    comments = list((graded / "report" / "students").glob("*.md"))
    files.result_path(graded, "alice", A).unlink()
    report.write(graded, course())
    assert len(pages(graded)) == 4
    assert len(list((graded / "report" / "students").glob("*.md"))) == len(comments) - 1 == 2


def test_an_empty_class_and_a_broken_result(tmp_path: Path) -> None:
    assert "students" in report.write(tmp_path, None).read_text(encoding="utf-8")
    broken = tmp_path / "results" / "bob"
    broken.mkdir(parents=True)
    (broken / "x.json").write_text("{}")
    with pytest.raises(GraderError, match="is not a result of ours"):
        report.write(tmp_path, None)


@pytest.mark.parametrize(
    ("made", "kinds"),
    [
        (result("x", check("a")), ["full"]),
        (result("x", check("a"), check("b", Status.FAILED)), ["some"]),
        (result("x", check("b", Status.FAILED, message="was 3")), ["zero"]),
        (
            result("x", check("b", Status.FAILED, message="not written yet: …")),
            ["zero", "untouched"],
        ),
        (
            result("x", check("b", Status.ERROR), notes=(f"{RAISED}NameError: x",)),
            ["zero", "broken"],
        ),
        (
            result("x", check("b", Status.TIMEOUT), run={"exit": "timeout: 120 s"}),
            ["zero", "stopped"],
        ),
        (
            result("x", check("a"), check("b", Status.BY_HAND), score=2.0, max_score=2.0),
            ["full", "read"],
        ),
        (result("x", check("a", Status.ERROR), attention=(UNTOUCHED,)), ["zero", "untouched"]),
        (result("x", status="ungradable"), ["person"]),
        (result("x", status="missing"), ["missing"]),
        (result("x", check("a"), late=Lateness(2.0, late=True)), ["full", "late"]),
    ],
)
def test_what_is_to_be_known_of_a_result_at_a_glance(made: Result, kinds: list[str]) -> None:
    assert report._categories(made, asked=False) == kinds
    assert set(kinds) <= set(report.CATEGORIES)


def test_the_class_page_is_complete_without_its_script(graded: Path) -> None:
    html = report.write(graded, course()).read_text(encoding="utf-8")
    assert (
        '<div id="controls" class="controls" role="search" aria-label="the table" hidden>' in html
    )
    lost = html.split('<details class="lost">')[1].split("</details>")[0]
    assert f'{report._page(EVIL)}">' in lost and "2; missing_zero_grad</li>" in lost


def test_earlier_attempts_are_told_and_the_same_work_is_one(tmp_path: Path) -> None:
    def graded(submission: str, score: float, when: str, environment: str) -> Result:
        made = result("ann", check("a", score=score), submission=submission, submitted_at=when)
        key = Key(submission, A, 1, environment)
        with Store(tmp_path / "store.sqlite") as store:
            assert store.claim(key) is None
            store.finish(key, made.to_json())
        return made

    files.write_result(tmp_path, graded("sha256:1", 1.0, "2026-03-01T10:00:00Z", "e"))
    report.write(tmp_path, course())
    assert "Your attempts" not in page(tmp_path, "ann")
    files.write_result(tmp_path, graded("sha256:2", 2.0, "2026-03-02T10:00:00Z", "e"))
    graded("sha256:1", 1.5, "2026-03-01T10:00:00Z", "another")
    report.write(tmp_path, course())
    told = page(tmp_path, "ann").split("Your attempts")[1]
    lines = re.findall("<li>(.*?)</li>", told)
    assert lines == [
        "1.5 of 2, handed in 2026-03-01T10:00:00Z",
        "2 of 2, handed in 2026-03-02T10:00:00Z <strong>this one</strong>",
    ]
    (tmp_path / "store.sqlite").write_bytes(b"no store")
    report.write(tmp_path, course())
    assert "Your attempts" not in page(tmp_path, "ann"), "a broken store costs nobody a page"


def test_a_spread_of_accuracies_has_its_threshold(tmp_path: Path) -> None:
    for k, reached in enumerate((0.2, 0.61, 0.9, 1.0)):
        told = f"{reached:.1%} of 300 hidden images; full marks from 86.3%"
        line = check("acc", Status.PARTIAL, value=reached, message=told)
        files.write_result(tmp_path, result(f"s{k}", line))
    html = report.write(tmp_path, course()).read_text(encoding="utf-8")
    assert "2 of 4 reach the threshold (the line) · 20 % to 100 %, median 75.5 %" in html
    assert 'class="bound" x1="286.2"' in html and ">86.3 %</text>" in html
    own = page(tmp_path, "s1")
    assert "<strong>61 %</strong>; full marks from 86.3 %" in own
