"""What a course's `modules:` does: students are told, every place that grades is held to it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from autograder.authoring import build
from autograder.course import config
from autograder.errors import ConfigError, InputError
from autograder.grading import doctor
from autograder.grading.grader import Grader
from autograder.model import LoadReport
from autograder.sandbox import image
from tests.samples import ROOT

A4 = "04-training-loop"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course of one assignment, which says nothing of modules yet."""
    for name in ("source", "assignments", "release", "docs/explore"):
        away = shutil.ignore_patterns("submissions", "0[5-9]*")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=away)
    (tmp_path / "grading_config.yml").write_text(f"course: c\nassignments: [{A4}]\n")
    return tmp_path


def lists(course: Path, *modules: str) -> None:
    with (course / "grading_config.yml").open("a") as file:
        file.write(f"modules: [{', '.join(modules)}]\n")
    config.course.cache_clear()


def test_a_readme_lists_what_the_course_adds(course: Path) -> None:
    spec = config.assignment(course / "assignments" / A4 / "assignment.yml")
    before = build.files_of(course / "source" / A4, spec)
    lists(course, "pandas", "sklearn.metrics", "torch")
    after = build.files_of(course / "source" / A4, spec)
    assert {n for n in after if after[n] != before[n]} == {"README.md"}
    told = " ".join(after["README.md"].decode().split())
    assert "`safetensors`, `pandas` and `sklearn.metrics`." in told
    assert told.count("`torch`") == 1


@pytest.mark.parametrize("name", ["scikit-learn", "a b", "1x", "a.", "os;x"])
def test_a_module_is_what_an_import_statement_names(name: str, tmp_path: Path) -> None:
    (tmp_path / "grading_config.yml").write_text("course: c\nassignments: []\n")
    lists(tmp_path, f"'{name}'")
    with pytest.raises(ConfigError, match=r"grading_config.yml:3: 'modules.0'"):
        config.course(tmp_path)


def test_nobody_is_graded_without_a_module_that_was_promised(course: Path) -> None:
    with Grader(course, "none"):
        pass
    lists(course, "matplotlib.pyplot", "zorblax")
    with pytest.raises(InputError, match="'zorblax' is not installed") as caught:
        Grader(course, "none")
    assert "doctor" in str(caught.value)


def test_their_packages_are_found_by_what_they_hold() -> None:
    torch, pillow = metadata.version("torch"), metadata.version("pillow")
    assert config.requirements(["PIL.Image", "torch", "PIL"]) == [
        f"pillow=={pillow}",
        f"torch=={torch}",
    ]
    assert config.requirements([]) == []
    with pytest.raises(ConfigError, match="'zorblax' is not installed"):
        config.requirements(["torch", "zorblax"])


def test_an_image_holds_them(tmp_path: Path) -> None:
    image._context(tmp_path, ["yaml"])
    pins = (tmp_path / "requirements.txt").read_text().split()
    assert any(p.lower().startswith("pyyaml==") for p in pins)
    assert any(p.startswith("numpy==") for p in pins)


def test_gradescope_installs_them(course: Path, tmp_path: Path) -> None:
    lists(course, "yaml")
    target = tmp_path / "made.zip"
    subprocess.run(
        [sys.executable, "-m", "autograder", "package", A4, "--for", "gradescope", "-o", target],
        cwd=course,
        check=True,
        capture_output=True,
    )
    with zipfile.ZipFile(target) as z:
        assert z.read("modules.txt").decode().lower().startswith("pyyaml==")
        assert b"modules.txt" in z.read("setup.sh")


@pytest.mark.sandbox
def test_the_doctor_imports_each_in_a_box(course: Path) -> None:
    assert doctor.modules(course) == [] and doctor.modules(None) == []
    lists(course, "matplotlib.pyplot", "seaborn", "zorblax.deep")
    there, absent, unknown = doctor.modules(course)
    assert there.ok and there.name == "module: matplotlib.pyplot"
    for finding in (absent, unknown):
        assert not finding.ok and finding.needed and "ModuleNotFoundError" in finding.found
        assert "pip install" in finding.remedy


def test_a_doctor_without_a_box_says_so(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lists(course, "yaml")
    load = LoadReport("crash", detail="signal 9")
    monkeypatch.setattr(doctor, "_try_box", lambda shelf, program: ("fake", load))
    (finding,) = doctor.modules(course)
    assert not finding.ok and "the box ended" in finding.found
