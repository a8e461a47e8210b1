"""A copy of the course in which the real nbgrader and otter may write, and how to call them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.samples import ROOT


@dataclass(frozen=True)
class Course:
    """A course folder, and the environment in which tools run there."""

    folder: Path
    env: dict[str, str]

    def run(self, *command: str, cwd: Path | None = None, ok: bool = True) -> str:
        """Run a tool of this environment in the course's folder; its output, both streams."""
        done = subprocess.run(
            command,
            cwd=cwd or self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=560,
            check=False,
        )
        said = done.stdout + done.stderr
        assert (done.returncode == 0) is ok, said
        return said


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    folder = tmp_path_factory.mktemp("course")
    for name in ("source", "assignments", "release", "docs/explore"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("submissions"))
    for name in ("grading_config.yml", "nbgrader_config.py"):
        shutil.copy(ROOT / name, folder)
    here = Path(sys.executable).parent
    env = {
        **os.environ,
        "PATH": os.pathsep.join((str(here), os.environ["PATH"])),
        "PYTHONWARNINGS": "ignore",
        "JUPYTER_CONFIG_DIR": str(folder / "jupyter"),
    }
    env.pop("FIVE_BEATS_ROOT", None)
    return Course(folder, env)
