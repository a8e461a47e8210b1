"""The class page in a Chromium: it sorts, searches, filters and leads from a bug to students."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder.model import Status
from autograder.report import pages as report
from autograder.results import files
from tests.report.test_pages import EVIL, check, course, result

sync = pytest.importorskip("playwright.sync_api")
BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium; scripts/setup.sh dev browser"),
]
N = 40


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class of 40, whose scores, bugs and times are told by their numbers, and an evil name."""
    out = tmp_path_factory.mktemp("class")
    for k in range(N):
        worth = float(k % 11) / 5
        status = Status.PASSED if worth == 2 else Status.PARTIAL
        bugs = ("missing_zero_grad",) if k % 4 == 0 and worth < 2 else ()
        line = check("a", status, score=worth, bugs=bugs, message=f"message {k}")
        origin = {"tool": "canvas", "late": k % 10 == 3}
        files.write_result(out, result(f"s{k:02}", line, origin=origin))
    files.write_result(out, result(EVIL, check("a"), notes=(EVIL,)))
    return report.write(out, course())


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with sync.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any, index: Path) -> Iterator[Any]:
    """The class's page; whatever a browser has to complain of, or asks of a host, is a failure."""
    shown = chromium.new_page()
    told: list[str] = []
    shown.on("console", lambda m: told.append(m.text))
    shown.on("pageerror", lambda e: told.append(str(e)))
    shown.on("dialog", lambda d: told.append(d.message))
    shown.on("request", lambda r: None if r.url.startswith("file:") else told.append(r.url))
    shown.goto(index.as_uri())
    yield shown
    assert told == []
    shown.close()


def names(page: Any) -> list[str]:
    """Who is shown, from the top."""
    rows = page.locator("#class tbody tr:visible th a")
    return [str(name) for name in rows.all_inner_texts()]


def test_it_sorts_both_ways_by_number(page: Any) -> None:
    total = page.get_by_role("button", name="total")
    total.click()
    scores = [float(t) for t in page.locator("#class tbody td.number").all_inner_texts()]
    assert scores == sorted(scores) and len(scores) == N + 1
    total.press("Enter")  # by keyboard, and the focus stays
    assert page.locator("th[aria-sort=descending]").count() == 1
    scores = [float(t) for t in page.locator("#class tbody td.number").all_inner_texts()]
    assert scores == sorted(scores, reverse=True)


def test_it_searches_filters_and_shows_all_again(page: Any) -> None:
    page.get_by_label("search").fill("S1")
    assert names(page) == [f"s{k}" for k in range(10, 20)]
    assert page.locator("#told").inner_text() == f"10 of {N + 1} shown"
    page.get_by_label("what").select_option("late")
    assert names(page) == ["s13"]
    page.get_by_role("button", name="show all").click()
    assert len(names(page)) == N + 1 and not page.locator("#clear").is_visible()


def test_a_bug_a_check_and_a_bar_lead_to_their_students(page: Any) -> None:
    page.get_by_role("link", name="missing_zero_grad: ").click()
    assert names(page) == [f"s{k:02}" for k in range(0, N, 4) if k % 11 != 10]
    page.get_by_role("link", name="title of a").click()
    assert names(page) == [f"s{k:02}" for k in range(N) if k % 11 != 10]
    page.get_by_role("link", name="90 to 100 percent").click()
    assert sorted(names(page))[1:] == [f"s{k:02}" for k in range(N) if k % 11 in (9, 10)]


def test_an_evil_name_is_text_and_every_student_can_be_opened(page: Any) -> None:
    (evil,) = [name for name in names(page) if "script" in name]
    assert "<script>alert('x')</script>" in evil
    page.get_by_role("link", name="s07", exact=True).first.click()
    assert page.locator("h1").inner_text() == "s07"
    assert page.locator("script").count() == 0
    page.locator(".mend").get_by_text("message 7").wait_for()


def test_without_scripts_everybody_is_there(chromium: Any, index: Path) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(index.as_uri())
    assert len(names(page)) == N + 1 and not page.locator("#controls").is_visible()
    context.close()


@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_is_wider_than_its_window(chromium: Any, index: Path, width: int) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 800})
    for path in (index, index.parent / report._page("s07"), index.parent / report._page(EVIL)):
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
