"""The documentation is true where a machine can tell: links lead somewhere, commands exist."""

from __future__ import annotations

import importlib.util
import re
import runpy
from importlib import metadata
from pathlib import Path

import pytest
import typer

from autograder.authoring.build import may_import
from autograder.checks import registry
from autograder.checks.page import page
from autograder.cli.main import app
from autograder.course.config import MODULES, Course, course, requirements
from autograder.exports.nbgrader import course_id

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    linked = {link for page in PAGES for link in re.findall(r"\]\(([^)#]+)", page.read_text())}
    assert {p.name for p in PAGES[1:]} <= {Path(link).name for link in linked}


def test_every_verb_is_documented_and_no_other() -> None:
    group = typer.main.get_command(app)
    verbs = set(getattr(group, "commands", {}))
    told = set(re.findall(r"\bautograder ([a-z]+)", TEXT))
    assert verbs <= told, "undocumented"
    assert told <= verbs, "documented, but not there"


def test_the_list_of_checks_is_what_they_declare() -> None:
    fresh = page()
    told = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    assert told == fresh, "run: python -m autograder.checks.page > docs/checks.md"
    families = {name.partition(".")[0] for name in registry()}
    assert len(families) <= 30, "what one assignment needs stands in its own folder"
    assert all(f"## `{name}`" in told for name in families)


def test_the_page_of_the_course_is_what_the_assignments_say() -> None:
    made = runpy.run_path(str(ROOT / "scripts" / "course_page.py"))["page"]()
    told = (ROOT / "docs" / "course.md").read_text(encoding="utf-8")
    assert told == made, "run: python scripts/course_page.py > docs/course.md"
    assert all(f"release/{i}/README.md" in told for i in course(ROOT).assignments)


def test_the_tables_of_the_devices_are_those_of_the_calibrations() -> None:
    made = runpy.run_path(str(ROOT / "scripts" / "device_tables.py"))["tables"]()
    told = (ROOT / "docs" / "devices.md").read_text(encoding="utf-8")
    assert len(made) >= 3
    for name, table in made.items():
        assert table in told, f"{name}: run: python scripts/device_tables.py, and put it there"


def test_every_make_target_that_is_named_exists() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert set(re.findall(r"`make ([a-z]+)|^\$ make ([a-z]+)", TEXT, flags=re.MULTILINE))
    for named in re.findall(r"(?:`|\$ )make ([a-z]+)", TEXT):
        assert named in targets


def test_the_courses_id_in_nbgrader_is_told() -> None:
    assert f"`{course_id(ROOT)}`" in (ROOT / "docs" / "instructors.md").read_text()


def test_every_key_of_the_course_is_told() -> None:
    text = (ROOT / "docs" / "instructors.md").read_text()
    for key in set(Course.model_fields) - {"course", "weights", "devices"}:
        assert re.search(rf"^\| `{key}[.`]", text, re.MULTILINE), key


def test_students_are_told_what_they_can_import() -> None:
    page = " ".join((ROOT / "docs" / "students.md").read_text(encoding="utf-8").split())
    assert may_import(()) in page


@pytest.mark.parametrize("module", MODULES)
def test_what_they_are_told_is_there(module: str) -> None:
    assert importlib.util.find_spec(module) is not None
    held = {r.partition("==")[0].lower() for r in requirements([module])}
    wanted = {re.split(r"[<>=; ]", r)[0].lower() for r in metadata.requires("five-beats") or []}
    assert held & (wanted | {"pillow"})  # which torchvision requires
