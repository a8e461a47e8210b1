"""Where the environment of a clone is: `scripts/setup.sh where`."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.samples import ROOT


def where(clone: Path, **env: str) -> Path:
    """What a clone says of its environment; HOME is /home/ada."""
    kept = {k: v for k, v in os.environ.items() if k != "VENV"}
    done = subprocess.run(
        [clone / "scripts" / "setup.sh", "where"],
        env={**kept, "HOME": "/home/ada", **env},
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(done.stdout.strip())


@pytest.fixture
def clones() -> Iterator[list[Path]]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        made = [Path(folder, name) for name in ("one", "two")]
        for clone in made:
            (clone / "scripts").mkdir(parents=True)
            shutil.copy(ROOT / "scripts" / "setup.sh", clone / "scripts")
        yield made


def test_two_clones_below_tmp_have_two_environments_that_a_box_can_see(clones: list[Path]) -> None:
    found = [where(clone) for clone in clones]
    assert found[0] != found[1] and found == [where(clone) for clone in clones]
    assert {p.parent for p in found} == {Path("/home/ada/.cache/five-beats")}


def test_elsewhere_it_lies_in_the_clone_and_venv_says_another_place(clones: list[Path]) -> None:
    if not ROOT.is_relative_to("/tmp"):
        assert where(ROOT) == ROOT / ".venv"
    assert where(clones[0], VENV="/srv/venv") == Path("/srv/venv")


def test_make_uses_the_same(clones: list[Path]) -> None:
    shutil.copy(ROOT / "Makefile", clones[0])
    kept = {k: v for k, v in os.environ.items() if k not in ("VENV", "MAKEFLAGS")}
    done = subprocess.run(
        ["make", "-n", "corpus"],
        cwd=clones[0],
        env={**kept, "HOME": "/home/ada"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"{where(clones[0])}/bin/python" in done.stdout


@pytest.mark.root
def test_a_browser_that_is_not_there_is_installed(tmp_path: Path) -> None:
    """Whether it is there is asked of PATH: a function of the script's own is no browser."""
    tools = tmp_path / "bin"
    tools.mkdir()
    browsers = ("chromium", "chromium-browser", "google-chrome", "apt-get")
    for folder in ("/usr/bin", "/bin", "/usr/sbin", "/sbin"):
        for tool in Path(folder).iterdir():
            if tool.name not in browsers and not (tools / tool.name).is_symlink():
                (tools / tool.name).symlink_to(tool)
    asked = tmp_path / "asked"
    (tools / "apt-get").write_text(f'#!/bin/sh\necho "$@" >> {asked}\nexit 1\n')
    (tools / "apt-get").chmod(0o755)
    done = subprocess.run(
        [ROOT / "scripts" / "setup.sh", "dev", "browser"],
        env={**os.environ, "PATH": str(tools), "VENV": str(tmp_path / "venv")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1 and "apt-get failed" in done.stderr, done.stderr
    assert "chromium" in asked.read_text().splitlines()[-1].split()
