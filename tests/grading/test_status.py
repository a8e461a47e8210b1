"""How a folder of grades stands: told by looking, with nothing run and nothing written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.course import config
from autograder.errors import InputError
from autograder.grading import status
from autograder.grading.status import Standing
from autograder.model import Status
from autograder.results import files, provenance
from tests.cli.test_main import GOOD, A, course, plain, run  # noqa: F401 - fixtures


def look(root: Path) -> Standing:
    (found,) = status.examine(root / "out", root).assignments
    return found


def snapshot(out: Path) -> dict[Path, bytes]:
    return {p: p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


def test_a_folder_says_how_it_stands(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    root, out = course, course / "out"
    (root / "people.csv").write_text("student_id,section\nalice,A\nbob,B\nzoe,B\n")
    (root / "class" / "carl.pdf").write_bytes(b"%PDF-1.7")
    assert run("grade class -o out -a 04-training-loop --roster people.csv").exit_code == 1
    before = snapshot(out)
    found = look(root)
    assert found == Standing(
        A, 2, missing=("zoe",), ungradable=("carl",), questions=("carl: is not on the roster",)
    )
    said = run("status out").output
    assert f"{A}: 2 graded" in said and "1 handed in nothing: zoe" in said
    assert "roster: 3 students, sections A, B" in said and "device: cpu" in said
    assert "could not be graded" not in run("status out --section B").output
    assert json.loads(run("status out --json").output)["assignments"][0]["graded"] == 2
    with pytest.raises(InputError, match="has no section 'C'"):
        run("status out --section C")

    (root / "class" / "alice.py").write_text(GOOD + "# better\n")
    (root / "class" / "zoe.py").write_text(GOOD)
    assert look(root).stale == (
        "alice: the work is another than the one that was graded",
        "zoe: not graded yet",
    )
    path = root / "assignments" / A / "assignment.yml"
    path.write_text(path.read_text().replace("points: 1", "points: 2"))
    config.assignment.cache_clear()
    monkeypatch.setattr(status, "versions", lambda: {"torch": "9.9"})
    monkeypatch.setattr(status, "code_digest", lambda: "other")
    outdated = look(root).outdated
    assert outdated[0] == "graded by other checks than assignment.yml now states"
    assert any(why.startswith("graded with torch ") and "9.9" in why for why in outdated)
    assert "what runs and judges a program has changed" in outdated
    assert snapshot(out) == before, "nothing was written"
    monkeypatch.chdir(root.parent)
    assert "Small (" in run(f"status {out}").output, "OUT remembers its course"
    (root / "class").rename(root / "elsewhere")
    assert "is not there any more" in look(root).stale[0]


def test_what_waits_is_told_by_kind(tmp_path: Path) -> None:
    from tests.results.test_adjustments import result

    waits = result()
    gpu = replace(waits.checks[0], status=Status.DEFERRED)
    files.write_result(tmp_path, waits)
    files.write_result(tmp_path, replace(result("bob"), checks=(gpu,), gone=False))
    files.write_result(tmp_path, replace(result("eve"), gone=True))
    looked = replace(result("kim"), attention=("handed in as it was",), checks=waits.checks[:2])
    files.write_result(tmp_path, looked)
    report = status.examine(tmp_path, None)
    assert report.rests_on == {} and report.untouched == ()
    (found,) = report.assignments
    assert (found.graded, found.by_hand, found.deferred) == (3, ("alice",), ("bob",))
    assert found.gone == ("eve",) and found.questions == ("kim: handed in as it was",)


def test_a_record_of_before_says_nothing_of_versions(tmp_path: Path) -> None:
    """A provenance.json without the newer keys is read, and makes nobody stale."""
    rules = {"version": 1, "checks": "x", "limits": {}}
    one = {"rules": rules, "classes": [], "students": {"alice": "/"}}
    raw = {"schema": 1, "device": "cpu", "data": {}, "assignments": {A: one}}
    (tmp_path / provenance.NAME).write_text(json.dumps(raw))
    record = provenance.read(tmp_path)
    assert record.course == "" and record.assignments[A].versions == {}
    provenance.write(tmp_path, record)
    assert provenance.read(tmp_path) == record
