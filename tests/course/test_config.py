"""Configuration: what is read, what is refused, and whether the refusal says where and why."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from autograder.checks.judge import validate
from autograder.course import config
from autograder.errors import ConfigError
from autograder.model import Limits, Visibility

ROOT = Path(__file__).resolve().parents[2]
IDS = sorted(p.parent.name for p in ROOT.glob("assignments/*/assignment.yml"))

ASSIGNMENT = """\
id: 09-some
title: Some
version: 1
module: some
seed: 4
data: {dataset: mnist, train: 10, test: 10, hidden: 10}
checks:
  - id: first
    use: module
    ask: shape
    title: First
    task: 1
    points: 1.5
    visibility: public
    with: {classes: 10, class: Net}
  - id: second
    use: training
    ask: clearing
    with: {function: train, arguments: [model, loader]}
    title: Second
    task: 1
    points: 2
    needs: [first]
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "some.yml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(tmp_path: Path, text: str, model: type[config.Strict] = config.Assignment) -> str:
    with pytest.raises(ConfigError) as caught:
        config.load(write(tmp_path, text), model)
    return str(caught.value).removeprefix(str(tmp_path) + "/")


def test_an_assignment_is_read(tmp_path: Path) -> None:
    read = config.load(write(tmp_path, ASSIGNMENT), config.Assignment)
    assert read.points == 3.5
    assert [c.visibility for c in read.checks] == [Visibility.PUBLIC, Visibility.HIDDEN]
    assert read.checks[0].options == {"classes": 10, "class": "Net"}
    assert read.checks[1].needs == ("first",)


def test_what_was_read_cannot_be_changed(tmp_path: Path) -> None:
    read = config.load(write(tmp_path, ASSIGNMENT), config.Assignment)
    with pytest.raises(ValidationError, match="frozen"):
        read.title = "Other"  # type: ignore[misc]  # mypy sees it too


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("points: 2", "pionts: 2", "some.yml:22: unknown key 'checks.1.pionts' (did you mean "),
        ("title: Some", "titel: Some", "some.yml:2: unknown key 'titel' (did you mean 'title'?)"),
        ("seed: 4", "zzz: 4", "some.yml:5: unknown key 'zzz' (known keys: id, title, version, "),
        ("points: 2", "points: -1", "some.yml:22: 'checks.1.points': "),
        ("points: 2", "points: .inf", "some.yml:22: 'checks.1.points': "),
        ("points: 2", "points: many", "some.yml:22: 'checks.1.points': "),
        ("dataset: mnist", "dataset: cifar", "some.yml:6: 'data.dataset': "),
        ("train: 10, ", "", "some.yml:6: the key 'data.train' is missing (add it)"),
        ("id: second", "id: first", "some.yml:1: check id 'first' is used twice"),
        ("needs: [first]", "needs: [third]", "some.yml:1: check 'second' needs 'third'"),
        ("id: 09-some", "id: ../up", "some.yml:1: 'id': "),
        ("module: some", "module: a-b", "some.yml:4: 'module': "),
    ],
)
def test_a_mistake_is_said_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert ASSIGNMENT.count(old) == 1
    assert refused(tmp_path, ASSIGNMENT.replace(old, new)).startswith(said)


def test_a_check_cannot_need_one_below_it(tmp_path: Path) -> None:
    swapped = ASSIGNMENT.replace("    needs: [first]\n", "").replace(
        "    title: First\n", "    title: First\n    needs: [second]\n"
    )
    assert "needs 'second', which is not a check above it" in refused(tmp_path, swapped)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1\nb: 2\n", "some.yml:2: is not valid YAML"),
        ("- 1\n- 2\n", "some.yml:1: must be a mapping"),
        ("", "some.yml:1: must be a mapping"),
        ("!!python/object/apply:os.getcwd []\n", "some.yml:1: is not valid YAML"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, text: str, said: str) -> None:
    assert refused(tmp_path, text).startswith(said)


def test_an_absent_file_is_an_error_of_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        config.load(tmp_path / "none.yml", config.Course)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "some.yml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load(path, config.Course)


def test_the_public_part_holds_no_secret(tmp_path: Path) -> None:
    text = ASSIGNMENT.replace(
        "    needs: [first]\n", "    visibility: public\n    needs: [first]\n"
    )
    text = text.replace("    visibility: public\n    with", "    with")  # the first is hidden now
    public = config.load(write(tmp_path, text), config.Assignment).public()
    assert [c.id for c in public.checks] == ["second"]
    assert public.checks[0].needs == ()
    assert public.seed == 0


def test_limits_come_from_the_nearest_level(tmp_path: Path) -> None:
    course = config.Course(
        course="x", assignments=(), limits=config.LimitsSpec(wall_s=50, memory_mb=512)
    )
    spec = config.load(write(tmp_path, ASSIGNMENT + "limits: {wall_s: 7}\n"), config.Assignment)
    found = config.limits_for(spec, course)
    assert (found.wall_s, found.memory_mb) == (7, 512)
    assert found.check_s == Limits().check_s
    assert config.limits_for(spec, None).memory_mb == Limits().memory_mb


@pytest.mark.parametrize("section", ["weights: {b: 1}", 'due: {b: "2026-01-01T12:00Z"}'])
def test_the_course_names_only_its_own_assignments(tmp_path: Path, section: str) -> None:
    said = refused(tmp_path, f"course: x\nassignments: [a]\n{section}\n", config.Course)
    assert "names 'b', which is not in assignments" in said


# The course as it is committed ---------------------------------------------------------------


def test_the_course_lists_every_assignment_there_is() -> None:
    course = config.course(ROOT)
    assert sorted(course.assignments) == IDS
    assert set(course.weights) <= set(course.assignments)


@pytest.mark.parametrize("assignment_id", IDS)
def test_an_assignment_is_worth_twenty_points(assignment_id: str) -> None:
    spec = config.assignment(ROOT / "assignments" / assignment_id / "assignment.yml")
    assert spec.id == assignment_id
    assert spec.points == 20
    assert any(c.visibility is Visibility.PUBLIC for c in spec.checks)
    assert {c.task for c in spec.checks} == set(range(1, max(c.task for c in spec.checks) + 1))


# The project's own configuration -------------------------------------------------------------


def test_every_exception_to_a_rule_has_its_reason() -> None:
    section = (ROOT / "pyproject.toml").read_text().split("[tool.ruff.lint]")[1]
    ignores = re.findall(r'^    "[A-Z]+[0-9]+",.*$', section, flags=re.MULTILINE)
    assert len(ignores) > 10
    assert [line for line in ignores if "# " not in line] == []


def test_the_pinned_versions_are_exact_and_fit_the_bounds() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    assert (pinned["torch"], pinned["torchvision"]) == ("2.13.0", "0.28.0")
    assert "scikit-learn" not in pinned, "its wheel holds the hidden digits' labels"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[>=;\[ ]", d)[0].lower() for d in project["dependencies"]}
    assert names <= {name.lower() for name in pinned}


def test_what_enters_a_box_imports_nothing_of_ours() -> None:
    """Also where import-linter does not look: relative imports that climb out of `inside`."""
    inside = ROOT / "autograder" / "inside"
    for path in inside.rglob("*.py"):
        depth = len(path.relative_to(inside).parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert node.level <= depth, f"{path}:{node.lineno} leaves the box"
                assert not (node.module or "").startswith("autograder"), path
            elif isinstance(node, ast.Import):
                assert not any(a.name.startswith("autograder") for a in node.names), path


# -- the whole of it, where it is read -------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("use: training", "use: trainin", "17: check 'second' uses 'trainin', which is no "),
        ("use: training", "use: Training", "(did you mean 'training'?)"),
        ("use: training", "use: zzzz", "(use one of: accuracy, "),
        ("use: module", "use: modul", "9: check 'first' uses 'modul'"),
        (
            "ask: shape",
            "ask: shpae",
            "10: check 'first' asks 'shpae', which is no question of 'module'",
        ),
        ("classes: 10", "clases: 10", "15: check 'first' has the unknown option 'clases'"),
        ("classes: 10", "clases: 10", "(did you mean 'classes'?)"),
        ("classes: 10", "threshold: 10", "('module.shape' takes: class, kwargs, "),
        (
            "classes: 10",
            "classes: '10'",
            "15: check 'first' has the option 'classes' of an",
        ),
        ("classes: 10", "input: 784", "(make it a list)"),
        ("classes: 10", "parameters: true", "(make it a whole number)"),
        ("points: 2\n", "points: 2\n    points: 3\n", "23: the key 'points' stands twice"),
        ("title: Some\n", "title: Some\ntitle: Other\n", "3: the key 'title' stands twice"),
        ("needs: [first]", "needs: [frist]", "check 'second' needs 'frist', which is not a check "),
        ("needs: [first]", "needs: [frist]", "did you mean 'first'?"),
    ],
)
def test_a_slip_in_an_assignment_is_said_with_its_line(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert ASSIGNMENT.count(old) == 1
    path = write(tmp_path, ASSIGNMENT.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        validate(config.load(path, config.Assignment), path)
    told = str(caught.value)
    assert said in told and told.startswith(f"{path}:") and "\n" not in told


def test_what_an_anchor_names_does_not_stand_twice(tmp_path: Path) -> None:
    text = ASSIGNMENT.replace("with: {classes: 10, ", "with: &c {classes: 10, ")
    second = (
        "use: training\n    ask: clearing\n    with: {function: train, arguments: [model, loader]}"
    )
    text = text.replace(second, "use: module\n    ask: logits\n    with: *c")
    validate(config.load(write(tmp_path, text), config.Assignment))


@pytest.mark.parametrize("assignment_id", IDS)
def test_the_assignments_of_the_course_are_well(assignment_id: str) -> None:
    path = ROOT / "assignments" / assignment_id / "assignment.yml"
    validate(config.assignment(path), path)


DUE = "due: {05-five-beats: 2026-10-12T20:00Z}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("weights: {05-fiv-beats: 1}", "did you mean '05-five-beats'?"),
        ("due: {04-x: 2026-10-12T20:00}", "due names '04-x', which is not in assignments"),
        ("due: {05-five-beats: 2026-10-12T20:00Z}\ndue: {}", "4: the key 'due' stands twice"),
        ("timezon: Europe/Berlin", "unknown key 'timezon' (did you mean 'timezone'?)"),
        ("feedback: {hiden: full}", "(did you mean 'hidden'?)"),
        (
            DUE + "late: {extensions: {05-five-beat: {x: 2026-10-13T20:00Z}}}",
            "late.extensions names '05-five-beat', which has no due time; did you mean '05-five-b",
        ),
    ],
)
def test_a_slip_in_the_course_is_said(tmp_path: Path, text: str, said: str) -> None:
    course = f"course: c\nassignments: [05-five-beats]\n{text}\n"
    with pytest.raises(ConfigError) as caught:
        config.load(write(tmp_path, course), config.Course)
    assert said in str(caught.value)


def test_an_id_that_is_a_number_needs_no_quotes(tmp_path: Path) -> None:
    text = DUE + "late: {extensions: {05-five-beats: {1234: 2026-10-13T20:00Z}}}"
    read = config.load(
        write(tmp_path, f"course: c\nassignments: [05-five-beats]\n{text}"), config.Course
    )
    assert list(read.late.extensions["05-five-beats"]) == ["1234"]
