"""Gradescope's export of submissions is taken in: who, when, which one, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.course.config import Course
from autograder.intake.gradescope import _scalars
from autograder.results import lateness
from tests.handing import A4, graded, put, take, zipped

METADATA = """\
---
submission_11:
  :submitters:
  - :name: Jane Doe
    :sid: '12345'
    :email: jane@example.edu
  :created_at: 2026-10-13 00:20:30.861687000 Z
  :score: 2.0
  :status: processed
  :results:
    score: 2.0
    output: |-
      ==========
      :submitters: nobody
    tests:
    - name: "1: x"
      output: "\\e[31mred\\u202e &amp; <b>"
  :history:
  - :created_at: 2026-10-12 20:00:00.000000000 Z
    :score: 1.0
    :results: &1 {a: [1, {b: 2}]}
  - :created_at: 2026-10-12 21:00:00.000000000 Z
    :score: 1.0
    :results: *1
submission_12:
  :submitters:
  - :name: &two Zoë
    :sid: 333
    :email:
  - :name: Ann
    :sid: ''
    :email: ann@example.edu
  :created_at: !ruby/object:ActiveSupport::TimeWithZone
    utc: 2026-10-12 21:00:00.5 Z
    zone: {? [x, y] : z}
    time: 2026-10-12 14:00:00.5 Z
  :score: !ruby/object:BigDecimal 18:0.1e1
submission_13:
  :submitters: []
submission_14:
  :submitters:
  - :name: *two
    :sid: '44'
99.pdf:
  :submitters:
  - :name: Paper
    :sid: '55'
"""
FILES: dict[str, str | bytes] = {
    "submission_metadata.yml": METADATA,
    "submission_11/training_loop.py": "jane = 1",
    "submission_11/timestamp.txt": "2020-01-01 00:00:00 UTC",
    "submission_12/training_loop.ipynb": '{"cells": [], "nbformat": 4}',
    "submission_13/training_loop.py": "nobody = 1",
    "99.pdf": "%PDF",
    "submission_77/training_loop.py": "unnamed = 1",
    "__MACOSX/x": "",
}


def export(tmp_path: Path, files: Mapping[str, str | bytes] = FILES) -> Path:
    within = {f"assignment_804_export/{name}": raw for name, raw in files.items()}
    return zipped(tmp_path / "submissions.zip", within)


def one(tmp_path: Path, entry: str, *, key: str = "submission_1") -> Path:
    """An export with one entry."""
    text = f"{key}:\n{entry}"
    return put(tmp_path, {"submission_metadata.yml": text, f"{key}/training_loop.py": "a = 1"})


def test_a_class_is_taken_in(tmp_path: Path) -> None:
    found, refused = take(export(tmp_path))
    assert {s: w.submitted_at for s, w in found.items()} == {
        "Jane Doe_12345": "2026-10-13T00:20:30.861687+00:00",
        "Zoë_333": "2026-10-12T21:00:00.500000+00:00",
        "Ann_ann@example.edu": "2026-10-12T21:00:00.500000+00:00",
        "submission_13": "",
        "submission_77": "",
    }
    assert {w.assignment for w in found.values()} == {A4}
    jane = found["Jane Doe_12345"]
    assert jane.program.text == "jane = 1"
    assert jane.origin == {
        "tool": "gradescope",
        "user": "12345",
        "file": "submission_11",
        "emails": ["jane@example.edu"],
    }
    assert "2 earlier submissions (Gradescope exports the active one)" in " ".join(jane.notes)
    ann, zoe = found["Ann_ann@example.edu"], found["Zoë_333"]
    assert ann.digest == zoe.digest and ann.origin["group"] == ["Zoë", "Ann"]
    assert "emails" not in zoe.origin
    assert sorted(refused) == ["Paper_55", "Zoë_44"]
    assert "is not in the export" in refused["Zoë_44"].reason
    assert refused["Paper_55"].origin["user"] == "55"


def test_the_folder_and_the_zip_say_the_same(tmp_path: Path) -> None:
    folder = put(tmp_path / "assignment_804_export", FILES)
    unpacked, packed = take(folder)[0], take(export(tmp_path))[0]
    assert unpacked == packed and len(packed) == 5


def test_an_export_of_one_submission_is_one_too(tmp_path: Path) -> None:
    files = {"submission_metadata.yml": METADATA.partition("submission_12")[0]}
    found, _ = take(export(tmp_path, {**files, "submission_11/training_loop.py": "a = 1"}))
    assert list(found) == ["Jane Doe_12345"]


def test_nobody_sets_back_the_clock_by_a_file_of_their_own(tmp_path: Path) -> None:
    course = Course.model_validate(
        {
            "course": "c",
            "assignments": [A4],
            "due": {A4: "2026-10-12T23:59:00+00:00"},
            "late": {
                "per_day": 0.1,
                "extensions": {A4: {"ann@example.edu": "2026-10-14T00:00:00+00:00"}},
            },
        }
    )
    found, _ = take(export(tmp_path))
    jane = found["Jane Doe_12345"]
    assert "timestamp.txt" in jane.files, "it is theirs, and says nothing"
    result = replace(graded(jane.student, 20.0, jane.origin), submitted_at=jane.submitted_at)
    assert lateness.judged(result, course).score == 18
    later = "2026-10-13T12:00:00+00:00"
    ann = replace(graded("x", 20.0, found["Ann_ann@example.edu"].origin), submitted_at=later)
    assert lateness.judged(ann, course).score == 20, "the extension goes by the address"


def test_no_zip_of_a_students_own_tells_the_time(tmp_path: Path) -> None:
    stamped = {"training_loop.py": "a = 1", "timestamp.txt": "2020-01-01 00:00:00 UTC"}
    own = zipped(tmp_path / "own.zip", stamped).read_bytes()
    files: dict[str, str | bytes] = {
        "alice.zip": own,
        "bob/work.zip": own,
        "bob/timestamp.txt": "2026-10-13 00:20:00 UTC",
        f"dora/{A4}/work.zip": own,
        f"dora/{A4}/timestamp.txt": "2026-10-13 00:20:00 UTC",
        "Carol_12_assignsubmission_file/training_loop.py": "c = 1",
        "Carol_12_assignsubmission_file/timestamp.txt": "2020-01-01 00:00:00 UTC",
    }
    found, _ = take(put(tmp_path / "class", files))
    assert {s: w.submitted_at for s, w in found.items()} == {
        "alice": "",
        "bob": "",
        "dora": "2026-10-13T00:20:00+00:00",
        "Carol_12": "",
    }


def test_of_two_submissions_by_one_student_the_newer_is_graded(tmp_path: Path) -> None:
    entry = (
        "  :submitters:\n  - {{':name': A, ':sid': '1'}}\n  :created_at: 2026-10-{}0 10:00:00 Z\n"
    )
    text = f"submission_9:\n{entry.format(2)}submission_10:\n{entry.format(1)}"
    files = {
        "submission_metadata.yml": text,
        "submission_9/training_loop.py": "newer = 1",
        "submission_10/training_loop.py": "older = 1",
    }
    (found,) = take(put(tmp_path, files))[0].values()
    assert found.program.text == "newer = 1" and found.origin["file"] == "submission_9"
    assert "submission_10 (an older submission)" in " ".join(found.notes)


def test_two_people_of_one_name_and_number_stay_two(tmp_path: Path) -> None:
    text = """\
submission_1:
  :submitters: [{':name': A, ':sid': 1_2}]
submission_2:
  :submitters: [{':name': A_1, ':sid': '2'}]
"""
    files = {f"submission_{n}/training_loop.py": f"n = {n}" for n in (1, 2)}
    found, _ = take(put(tmp_path, {"submission_metadata.yml": text, **files}))
    assert {s: w.program.text for s, w in found.items()} == {
        "A_1_2": "n = 1", "A_1_2 (submission_2)": "n = 2",
    }  # fmt: skip


def test_names_are_only_shown(tmp_path: Path) -> None:
    name = '"../../x\\e[31m\\u202e<script>=cmd\\n"'
    entry = f'  :submitters:\n  - :name: {name}\n    :sid: "../7\\x1b[2J"\n    :email: {"e" * 9000}'
    (found,) = take(one(tmp_path, entry))[0].values()
    assert found.student == "../../x<script>=cmd _../7", "cleaned; it names no file as it is"
    assert found.origin["user"] == "../7"
    assert [len(str(e)) for e in found.origin["emails"]] == [600]


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("2026-04-26 17:34:00.861687000 Z", "2026-04-26T17:34:00.861687+00:00"),
        ("2026-04-26T17:34:00-07:00", "2026-04-27T00:34:00+00:00"),
        ("2026-04-26 17:34:00 +0200", "2026-04-26T15:34:00+00:00"),
        ("2026-04-26 17:34:00", "2026-04-26T17:34:00+00:00"),
        ("'2026-04-26 17:34:00 UTC'", "2026-04-26T17:34:00+00:00"),
        ("2026-04-31 17:34:00 Z", ""),
        ("0001-01-01 00:00:00 +2300", ""),
        ("yesterday", ""),
        ("[2026-04-26 17:34:00 Z]", ""),
        ("", ""),
    ],
)
def test_a_time_is_read_or_unknown(tmp_path: Path, said: str, read: str) -> None:
    path = one(tmp_path, f"  :submitters: [{{':name': A, ':sid': '1'}}]\n  :created_at: {said}\n")
    (found,) = take(path)[0].values()
    assert found.submitted_at == read


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "cannot be read"),
        ("a: {b: c\nd", "cannot be read"),
        ("", "names no submission"),
        ("- a\n- b\n", "names no submission"),
        ("just text", "names no submission"),
        ("a: b", "names no submission"),
        ("a: *nothing", "names no submission"),
        ("[" * 5000, "cannot be read"),
    ],
)
def test_what_is_no_metadata_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    found, refused = take(
        put(tmp_path / "c", {"submission_metadata.yml": text, "submission_1/training_loop.py": "1"})
    )
    (record,) = refused.values()
    assert not found and said in record.reason and "download the export again" in record.reason
    assert "\n" not in record.reason


@pytest.mark.parametrize(
    "entry",
    ["  :submitters: {':name': A}", "  :submitters: A", "  :history: {a: b}",
     "  :created_at: {x: y}", "  :submitters: [[A], {? {a: b} : c}]",
     "  :submitters: !!python/name:os.system ''"],
)  # fmt: skip
def test_an_entry_of_another_shape_names_nobody(tmp_path: Path, entry: str) -> None:
    assert list(take(one(tmp_path, entry))[0]) == ["submission_1"]


def test_neither_depth_nor_aliases_nor_size_do_harm(tmp_path: Path) -> None:
    laughs = "".join(f"    b{n}: &b{n} [{', '.join([f'*b{n - 1}'] * 9)}]\n" for n in range(1, 40))
    deep = "  :deep: " + "{a: " * 300 + "1" + "}" * 300 + "\n"
    many = "".join(f"  - {{':name': N{n}, ':sid': '{n}'}}\n" for n in range(500))
    entry = f"  :results:\n    b0: &b0 x\n{laughs}{deep}  :submitters:\n{many}"
    found, _ = take(one(tmp_path, entry))
    assert len(found) == 50, "a group has no more members than that"


def test_paths_are_those_of_the_text() -> None:
    text = "a: {b: [1, {c: 2}], ? [k, {l: m}] : 3}\nd: &x 4\ne: *x\n"
    found = [("/".join(path), value) for path, value in _scalars(text)]
    assert found == [("a/b/0", "1"), ("a/b/1/c", "2"), ("a//0", "k"), ("a//1/l", "m"),
                     ("a/", "3"), ("d", "4"), ("e", "4")]  # fmt: skip


def test_a_number_that_two_people_state_is_two_people(tmp_path: Path) -> None:
    """The student id is what somebody typed; the address is Gradescope's."""
    text = """\
submission_1:
  :submitters: [{':name': Alice, ':sid': '7', ':email': a@x.edu}]
  :created_at: 2026-10-10 10:00:00 Z
submission_2:
  :submitters: [{':name': Alice, ':sid': '7', ':email': mallory@x.edu}]
  :created_at: 2026-10-12 10:00:00 Z
"""
    files = {f"submission_{n}/training_loop.py": f"n = {n}" for n in (1, 2)}
    found, _ = take(put(tmp_path, {"submission_metadata.yml": text, **files}))
    assert {s: w.program.text for s, w in found.items()} == {
        "Alice_7": "n = 1", "Alice_7 (submission_2)": "n = 2",
    }  # fmt: skip
    assert [w.origin["emails"] for w in found.values()] == [["a@x.edu"], ["mallory@x.edu"]]


def test_a_students_own_metadata_makes_nobody_else_of_them(tmp_path: Path) -> None:
    forged = "submission_1:\n  :submitters: [{':name': Alice, ':sid': '7'}]\n"
    files = {
        "mallory/submission_metadata.yml": forged,
        "mallory/submission_1/training_loop.py": "m = 1",
    }
    assert list(take(zipped(tmp_path / "c.zip", files))[0]) == ["mallory"]
    bob = {"bob/training_loop.py": "b = 1"}
    assert sorted(take(put(tmp_path / "c", {**files, **bob}))[0]) == ["bob", "mallory"]
