"""The bug zoo: a page for every bug, fresh, of runs that are real, and without a solution."""

from __future__ import annotations

import json
import re
import runpy
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from autograder.authoring.leaks import scan, secrets_of
from autograder.authoring.master import master_path, read_master
from autograder.bugs import BUGS
from autograder.course import config
from tests.samples import ASSIGNMENTS, ROOT

MADE = runpy.run_path(str(ROOT / "scripts" / "zoo_pages.py"))
PAGES: Path = MADE["PAGES"]
MEASURED: dict[str, Any] = json.loads(MADE["MEASURED"].read_text(encoding="utf-8"))
STALE = "run: python scripts/zoo_pages.py"


def test_the_pages_are_what_was_measured_and_what_the_catalogue_says() -> None:
    there = {p.name: p.read_text(encoding="utf-8") for p in PAGES.iterdir()}
    assert there == MADE["pages"](), STALE
    assert set(there) == {"index.html", *(f"{bug}.html" for bug in BUGS)}
    assert sum(len(text.encode()) for text in there.values()) < MADE["CAP"]


def test_every_bug_looks_like_something() -> None:
    symptoms = MADE["symptoms"]()
    assert {i for ids in symptoms.values() for i in ids} == set(BUGS)
    assert all(len(ids) == len(set(ids)) for ids in symptoms.values())


@pytest.mark.parametrize("bug", MEASURED["bugs"])
def test_what_was_measured_is_the_sample_of_today(bug: str) -> None:
    told, folder = MEASURED["bugs"][bug], MADE["sample"](BUGS[bug])
    again = f"{STALE} --measure {bug}"
    assert told["sample"] == folder.name and told["digest"] == MADE["digest"](folder), again
    assert told["message"], "the grader names the bug in its own sample"
    driver = MADE["RUNS"].get(bug, MADE["RUNS"].get(told["assignment"][:2]))
    assert (driver is not None) == ("losses" in told), again
    if driver is not None:
        assert MEASURED["healthy"][told["healthy"]]["losses"], again
        assert told["losses"] or told["said"], "it trained, or said why it could not"


def test_every_sample_is_measured_and_nothing_that_is_not_shown() -> None:
    assert set(MEASURED["bugs"]) == {b.id for b in BUGS.values() if MADE["sample"](b)}
    assert set(MEASURED["healthy"]) == {
        t["healthy"] for t in MEASURED["bugs"].values() if "healthy" in t
    }


@pytest.mark.parametrize("folder", ["explore", "zoo"])
def test_no_page_shows_a_solution(folder: str) -> None:
    files = {p.name: p.read_bytes() for p in (ROOT / "docs" / folder).glob("*.html")}
    for assignment in ASSIGNMENTS:
        spec = config.assignment(ROOT / "assignments" / assignment / "assignment.yml")
        cells = read_master(master_path(ROOT / "source" / assignment, spec))
        secrets = [s for s in secrets_of(spec, cells) if s.number is None]
        assert [leak.message for leak in scan(files, secrets)] == []


@pytest.mark.parametrize("said", ["<b>bold</b> & \"quoted\" 'words'", "a `code` word"])
def test_what_a_run_said_is_text_and_no_markup(said: str) -> None:
    bug = BUGS["missing_zero_grad"]
    told = {"assignment": "04-training-loop", "task": 2, "message": said}
    page = MADE["page"](bug, {"bugs": {bug.id: told}, "healthy": {}})
    assert "<b>bold" not in page
    assert ("<code>code</code>" in page) == ("`" in said)


def test_a_chart_can_show_any_loss() -> None:
    for values in ([1.0], [0.0, 0.0], [None, 2.0], [-0.1, -0.9], [3.0, 1e30]):
        drawn = MADE["chart"]([2.3, 0.4], values, "says")
        assert "nan" not in drawn and "inf" not in drawn and drawn.count("<polyline") == 2


@pytest.mark.slow
@pytest.mark.parametrize("bug", ["zero_grad_after_backward", "softmax_into_nll"])
def test_a_run_of_today_gives_the_losses_that_are_shown(bug: str, tmp_path: Path) -> None:
    told = MEASURED["bugs"][bug]
    path = MADE["laid_out"](MADE["sample"](BUGS[bug]), MADE["RUNS"]["04"], tmp_path / "run")
    seen = MADE["recorded"](path)
    assert len(seen["losses"]) == len(told["losses"])
    assert seen["losses"][:30] == pytest.approx(told["losses"][:30], rel=0.01)


@pytest.mark.slow
def test_the_list_can_be_searched(tmp_path: Path) -> None:
    """By the words of a symptom, of a page's own address line."""
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    assert browser, "no browser; scripts/setup.sh dev browser installs one"
    done = subprocess.run(
        [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
            f"--user-data-dir={tmp_path}", "--virtual-time-budget=5000", "--dump-dom",
            f"{(PAGES / 'index.html').as_uri()}#memory%20grows",
        ],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr, "errors of the script, and what the policy refuses"
    alike = MADE["symptoms"]()["Memory grows, or each step takes longer than the one before"]
    assert re.search(r'<p><label>Search <input [^>]*id="find"', done.stdout), "it is to be seen"
    shown = done.stdout.split("<li")[1:]
    found = {b for b in BUGS for s in shown if f">{b}<" in s and "hidden" not in s.split(">")[0]}
    assert found == set(alike)
    assert f"{len(alike)} of {len(BUGS)} bugs" in done.stdout


def test_of_a_notebook_only_what_it_defines_is_run() -> None:
    cells = (
        "%matplotlib inline\n!pip install x\nimport torch\nRATE = 0.1",
        "from autograder.live import grade",
        "try:\n    from tqdm import tqdm\nexcept ImportError:\n    tqdm = list",
        "def f():\n    return RATE",
        "made = f()\nprint(made)\nhalf = made / 2\ndevice = torch.device('cpu')",
    )
    names: dict[str, Any] = {}
    exec(MADE["defined"](cells), names)
    assert names["f"]() == 0.1 and {"device", "tqdm", "torch"} <= set(names)
    assert not {"made", "half", "grade"} & set(names)
