"""No box shows what course tools keep on the host: a file in each of their places is looked for.

Planted are files that everybody may read, where nbgrader, Jupyter, JupyterHub and their like keep
exchanges, releases, submissions and settings, and where people put a course.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.model import Limits
from autograder.sandbox import Sandbox
from autograder.sandbox.needed import SYSTEM, python_paths
from tests.sandbox.conftest import call, run

pytestmark = [pytest.mark.sandbox, pytest.mark.root]
NAME = f"five-beats-planted-{os.getpid()}"
MARK = "somebody else's work 5a1f"
PLACES = (
    "/usr/local/share/nbgrader/exchange/course/inbound",
    "/usr/local/share/nbgrader/exchange/course/outbound",
    "/usr/local/share/jupyter",
    "/usr/local/share/jupyterhub",
    "/usr/local/etc/jupyter",
    "/usr/local/lib/nbgrader",
    "/usr/local/bin",
    "/usr/local/games",
    "/usr/local",
    "/usr/share/nbgrader/exchange",
    "/usr/share/jupyter",
    "/usr/share",
    "/usr/src",
    "/usr/etc/jupyter",
    "/etc/jupyter",
    "/etc",
    "/srv",
    "/srv/nbgrader/exchange/course/inbound",
    "/srv/jupyterhub",
    "/srv/data",
    "/srv/five-beats",
    "/opt",
    "/opt/nbgrader",
    "/opt/jupyterhub/etc",
    "/var/lib/jupyterhub",
    "/var/lib/nbgrader",
    "/var/spool/nbgrader",
    "/var/spool/cron",
    "/var/tmp",
    "/var/www",
    "/home/formgrader/course/submitted/bitdiddle",
    "/home/student",
    "/root",
    "/root/.local/share/jupyter",
    "/mnt",
    "/media",
    "/run",
    f"{sys.prefix}/share/jupyter",
    f"{sys.prefix}/etc/jupyter",
    f"{sys.prefix}/bin",
    f"{sys.prefix}",
    f"{sys.base_prefix}/share/jupyter",
    f"{sys.base_prefix}/bin",
)
SLOW = Limits(wall_s=20, check_s=60, cpu_s=120)
LOOK = f"""
import os
def opened(places):
    found = []
    for place in places:
        try:
            with open(place + "/{NAME}") as f: found.append(place if f.read() else "")
        except OSError:
            pass
    return found
def walked():
    found = []
    for folder, folders, names in os.walk("/"):
        if folder in ("/proc", "/sys"): folders[:] = []
        found += [folder] if "{NAME}" in names else []
    return found
def told():
    return [open("/proc/self/" + name).read() for name in ("cgroup", "mountinfo")]
"""


@pytest.fixture(scope="module")
def planted() -> Iterator[None]:
    made: list[Path] = []
    try:
        for place in map(Path, PLACES):
            made += [p for p in (*reversed(place.parents), place) if not p.exists()]
            place.mkdir(parents=True, exist_ok=True)
            (place / NAME).write_text(MARK)
            made.append(place / NAME)
        yield
    finally:
        for path in reversed(made):
            with contextlib.suppress(OSError):  # a folder in which somebody else has begun to work
                path.rmdir() if path.is_dir() else path.unlink()


def test_nothing_of_the_host_is_found(sandbox: Sandbox, planted: None) -> None:
    if sandbox.name == "none":
        pytest.skip("without a box everything is found")
    asked = call("opened", list(PLACES)), call("walked")
    load, (opened, walked) = run(sandbox, LOOK, *asked, limits=SLOW)
    assert load.status == "done" and not load.errors
    assert (opened.data["value"], walked.data["value"]) == ([], [])


def test_without_a_box_it_is_found(sandbox: Sandbox, planted: None) -> None:
    """The search itself."""
    if sandbox.name != "none":
        pytest.skip("asked of the unboxed only")
    _, (opened,) = run(sandbox, LOOK, call("opened", list(PLACES)))
    assert opened.data["value"] == list(PLACES)


def test_control_groups_and_our_own_folders_are_not_told(sandbox: Sandbox) -> None:
    if sandbox.name in ("none", "uid"):
        pytest.skip("these have no namespaces of their own")
    _, (told,) = run(sandbox, LOOK, call("told"))
    groups, mounts = told.data["value"]
    assert {line.split(":", 2)[2] for line in groups.splitlines()} == {"/"}, groups
    ours = str(Path(__file__).resolve().parents[2] / "autograder")
    assert ours not in mounts


def test_what_python_needs_is_named_one_by_one() -> None:
    for path in (*map(Path, SYSTEM), *python_paths()):
        assert path not in map(Path, ("/", "/usr", "/usr/local", "/usr/share", "/etc", "/opt"))
        assert not path.is_relative_to("/srv") and not path.is_relative_to("/var")
    exchange = Path("/usr/local/share/nbgrader/exchange")
    shown = (*map(Path, SYSTEM), *python_paths())
    assert not any(exchange.is_relative_to(path) for path in shown)
