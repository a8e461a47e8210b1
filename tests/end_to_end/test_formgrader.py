"""nbgrader's own web pages, in a real browser: our scores stand on them, and a person's marks stay.

A real Jupyter server with nbgrader's formgrader, on the loopback interface and a free port, and a
headless Chromium that runs the pages' scripts.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from autograder.model import Status
from tests.end_to_end.conftest import Course
from tests.exports.test_nbgrader import NAME, export, result
from tests.exports.test_nbgrader import course as circles  # noqa: F401 - a fixture
from tests.samples import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # SQLAlchemy's, at nbgrader's use of it
]
PATIENCE_S = 300
"""How long a busy machine may take to start a server or a browser."""


@dataclass(frozen=True)
class Formgrader:
    """The running server, and the browser that looks at it."""

    url: str
    token: str
    browser: str
    profile: Path

    def shown(self, page: str) -> str:
        """A page as its scripts have made it, once they rest."""
        done = subprocess.run(
            [
                self.browser, "--headless", "--no-sandbox", "--disable-gpu",
                f"--user-data-dir={self.profile}", "--virtual-time-budget=20000",
                "--dump-dom", f"{self.url}{page}",
            ],
            capture_output=True, text=True, timeout=PATIENCE_S, check=True,
        )  # fmt: skip
        return done.stdout

    def rows(self, page: str) -> list[str]:
        """The rows of a page's table as a person reads them, cells apart by blanks."""
        for _ in range(10):
            (body,) = re.findall(r"<tbody.*?</tbody>", self.shown(f"formgrader/{page}"), re.DOTALL)
            found = re.findall(r"<tr.*?</tr>", body, re.DOTALL)
            read = [" ".join(html.unescape(re.sub(r"<[^>]*>", " ", r)).split()) for r in found]
            if not any(row.startswith("Loading") for row in read):
                return read
        pytest.fail(f"{page} is still loading")

    def ask(self, path: str, change: dict[str, Any] | None = None) -> Any:
        """What the pages' own scripts ask of the server, and how they change it."""
        request = urllib.request.Request(
            f"{self.url}formgrader/api/{path}",
            headers={"Authorization": f"token {self.token}"},
            data=None if change is None else json.dumps(change).encode(),
            method="GET" if change is None else "PUT",
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)


@pytest.fixture
def desk(circles: Path, tmp_path: Path) -> Course:  # noqa: F811 - the fixture
    """A course with the work of two, as nbgrader collects it and reads it without running it."""
    shutil.copy(ROOT / "nbgrader_config.py", circles)
    env = {
        **os.environ,
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        "PYTHONWARNINGS": "ignore",
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
    }
    course = Course(circles, env)
    course.run("nbgrader", "generate_assignment", NAME)
    released = circles / "build" / "nbgrader" / "release" / NAME / "circles.ipynb"
    for student in ("ann", "bob"):
        folder = circles / "submitted" / student / NAME
        folder.mkdir(parents=True)
        shutil.copy(released, folder)
    course.run("nbgrader", "autograde", NAME, "--no-execute")
    return course


@pytest.fixture
def formgrader(desk: Course, tmp_path: Path) -> Iterator[Formgrader]:
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    assert browser, "no browser; scripts/setup.sh dev browser installs one"
    log = (tmp_path / "server.log").open("w")
    server = subprocess.Popen(
        [
            sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root",
            "--ip=127.0.0.1", "--port=0", f"--ServerApp.root_dir={desk.folder}",
        ],
        cwd=desk.folder, env=desk.env, stdout=log, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        pages = Formgrader(*_address(server, tmp_path), browser, tmp_path / "browser")
        pages.shown(f"formgrader?token={pages.token}")  # its cookie is for all below this page
        yield pages
    finally:
        server.terminate()
        server.wait(PATIENCE_S)
        log.close()


def _address(server: subprocess.Popen[bytes], tmp_path: Path) -> tuple[str, str]:
    """Where the server listens, and its token, once it has written them down."""
    told = tmp_path / "runtime" / f"jpserver-{server.pid}.json"
    end = time.monotonic() + PATIENCE_S
    while server.poll() is None and time.monotonic() < end:
        try:
            said = json.loads(told.read_text())
        except (OSError, ValueError):  # not yet, or half written
            time.sleep(0.2)
            continue
        return said["url"], said["token"]
    pytest.fail("the server did not start: " + (tmp_path / "server.log").read_text()[-2000:])


def test_our_scores_stand_on_the_pages_and_manual_marks_stay(
    desk: Course, formgrader: Formgrader
) -> None:
    export(desk.folder, result("ann", 0.5), result("bob", 2, Status.PASSED))
    submissions, notebooks = f"manage_submissions/{NAME}", f"gradebook/{NAME}/circles"
    said = sorted(formgrader.rows(submissions))
    assert len(said) == 2, said
    ann, bob = said
    assert ann.endswith("ann None needs manual grading 1.5 / 7")
    assert bob.endswith("bob None needs manual grading 3 / 7")
    (average,) = formgrader.rows(f"gradebook/{NAME}")
    assert average.startswith("circles 2.25 / 7 2.25 / 3 0 / 4")

    # a person marks the essay, and overrules us where bob is concerned
    for student, cell, mark in (("ann", "task1-why", 3.5), ("bob", "task1-hidden", 1.0)):
        (its,) = (
            n["id"]
            for n in formgrader.ask(f"submitted_notebooks/{NAME}/circles")
            if n["student"] == student
        )
        grades = formgrader.ask(f"grades?submission_id={its}")
        (grade,) = (g["id"] for g in grades if g["name"] == cell)
        formgrader.ask(f"grade/{grade}", {"manual_score": mark})

    # graded again, and exported again
    export(desk.folder, result("ann", 1.0), result("bob", 2, Status.PASSED))
    ann, bob = sorted(formgrader.rows(submissions))
    assert ann.endswith("ann None graded 5.5 / 7")
    assert bob.endswith("bob None needs manual grading 1 / 7")
    rows = {row.split()[2]: row.split(maxsplit=3)[3] for row in formgrader.rows(notebooks)}
    assert rows == {"ann": "5.5 / 7 2 / 3 3.5 / 4 0 / 0", "bob": "1 / 7 1 / 3 0 / 4 0 / 0"}
