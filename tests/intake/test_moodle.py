"""Moodle's folders and files of submissions: whose each is, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.handing import A4, put, take, zipped

FILE = "assignsubmission_file"
MARK = "assignsubmission_file_training_loop.py"


CLASS = {
    f"Jane Doe_101_{FILE}/training_loop.py": "a = 1",
    f"Jane Doe_101_{FILE}/lib/helper.py": "h = 1",
    "Jane Doe_101_assignsubmission_onlinetext/onlinetext.html": "<p>see file",
    f"Zoë Müller-Đặng_102_{FILE}_/work.py": "old = 1",
    f"Group A-王小明_103_{FILE}/training_loop.py": "unicode = 1",
    f"Participant_104_{FILE}/training_loop.py": "blind = 1",
    f"Flat One_105_{FILE}_training_loop.py": "flat = 1",
    f"Flat One_105_{FILE}_helper.py": "h = 1",
    "Typed Only_106_assignsubmission_onlinetext/onlinetext.html": "<p>code",
    f"Empty One_107_{FILE}/report.pdf": "%PDF",
}


def test_a_class_is_taken_in(tmp_path: Path) -> None:
    found, refused = take(put(tmp_path / "class", CLASS), A4)
    assert sorted(found) == [
        "Flat One_105",
        "Group A-王小明_103",
        "Jane Doe_101",
        "Participant_104",
        "Zoë Müller-Đặng_102",
    ]
    assert sorted(found["Jane Doe_101"].files) == ["lib/helper.py", "training_loop.py"]
    assert sorted(found["Flat One_105"].files) == ["helper.py", "training_loop.py"]
    assert found["Zoë Müller-Đặng_102"].origin == {
        "tool": "moodle",
        "user": "102",
        "name": "Zoë Müller-Đặng",
        "file": f"Zoë Müller-Đặng_102_{FILE}",
    }
    assert sorted(refused) == ["Empty One_107", "Typed Only_106"]
    assert "typed into Moodle" in refused["Typed Only_106"].reason
    assert "no notebook and no script" in refused["Empty One_107"].reason


def test_the_zip_says_the_same_even_of_one_student(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "all.zip", CLASS)
    assert take(archive, A4)[0].keys() == take(put(tmp_path / "c", CLASS), A4)[0].keys()
    one = {n: c for n, c in CLASS.items() if "_102_" in n}
    one[f"Zoë Müller-Đặng_102_{FILE}_/more.py"] = "m = 1"
    one[f"Zoë Müller-Đặng_102_{FILE}_/training_loop.py"] = "t = 1"
    (single,) = take(zipped(tmp_path / "one.zip", one), A4)[0].values()
    assert single.student == "Zoë Müller-Đặng_102" and len(single.files) == 3


def test_ordinary_folders_beside_are_still_taken(tmp_path: Path) -> None:
    files = {f"Jane_1_{FILE}/training_loop.py": "1", "bob/training_loop.py": "2", "carol.py": "3"}
    assert sorted(take(put(tmp_path, files), A4)[0]) == ["Jane_1", "bob", "carol"]


@pytest.mark.parametrize("pack", ["folder", "zip"])
def test_a_file_with_another_students_mark_stays_its_own_students(
    tmp_path: Path, pack: str
) -> None:
    files = {
        f"Alice Ash_101_{MARK}": "alice = 1",
        f"Mallory_106_assignsubmission_file_Alice Ash_101_{MARK}": "mallory = 1",
        f"Zed_107_assignsubmission_file_x_101_{MARK}": "zed = 1",
        f"Zed_107_{MARK}": "honest = 1",
    }
    path = zipped(tmp_path / "c.zip", files) if pack == "zip" else put(tmp_path / "c", files)
    found, refused = take(path, A4)
    assert not refused
    assert {s: w.program.text for s, w in found.items()} == {
        "Alice Ash_101": "alice = 1",
        "Mallory_106": "mallory = 1",
        "Zed_107": "honest = 1",
    }
    assert "holds the mark of another student" in " ".join(found["Zed_107"].notes)
    assert list(found["Alice Ash_101"].files) == ["training_loop.py"]


def test_a_student_who_is_called_like_anothers_mark_takes_nobodys_place(tmp_path: Path) -> None:
    """The mark in the student's own name, where the site lets students choose it."""
    files = {
        f"Alice Ash_101_{MARK}": "alice = 1",
        f"Alice Ash_101_assignsubmission_file_M_106_{MARK}": "mallory = 1",
    }
    found, _ = take(put(tmp_path, files), A4)
    alice = found["Alice Ash_101"]
    assert alice.program.text == "alice = 1" and list(alice.files) == ["training_loop.py"]
    assert "holds the mark of another student" in " ".join(alice.notes)


@pytest.mark.parametrize(
    "files",
    [
        {f"Ann_1_{MARK}": "a = 1", f"Anna_1_{MARK}": "b = 1"},
        {f"Ann_1_{FILE}/training_loop.py": "a = 1", f"Ann_1_{MARK}": "b = 1"},
        {f"Ann_1_{FILE}/training_loop.py": "a = 1", f"Ann_1_{FILE}_/training_loop.py": "b = 1"},
        {f"Ann_1_{FILE}/lib/a.py": "a = 1", f"Ann_1_{FILE}_/lib/a.py": "b = 1"},
    ],
)
def test_two_files_of_one_name_for_one_student_are_refused(
    tmp_path: Path, files: dict[str, str]
) -> None:
    found, refused = take(put(tmp_path, {**files, f"Bob_2_{MARK}": "b = 1"}), A4)
    assert sorted(found) == ["Bob_2"]
    (reason,) = [r.reason for r in refused.values()]
    assert "two files are called" in reason and "ask which one counts" in reason
