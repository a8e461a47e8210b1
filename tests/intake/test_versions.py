"""Several programs of one student: the newest complete one is graded, and a note names them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.intake.collect import UNTOUCHED, collect
from autograder.intake.handout import handouts
from autograder.intake.repair import Handout, Piece
from autograder.model import Submission
from tests.handing import A4, A5, KNOWN, aged, notebook, packed, put, take, zipped
from tests.notebooks import MODULES
from tests.samples import ROOT

STUB = "# YOUR CODE HERE\nraise NotImplementedError()\n"
GIVEN = {
    A4: Handout(
        (
            Piece("import torch", role="given"),
            Piece(f"def train_one_epoch(m):\n    {STUB}", role="solution"),
            Piece(f"def evaluate(m):\n    {STUB}", role="solution"),
        )
    )
}
WHOLE = "def train_one_epoch(m):\n    return {}\n\ndef evaluate(m):\n    return {}\n"


def alice(root: Path, assignment: str | None = None, *, given: bool = False) -> Submission:
    (found,), refused = collect([root], assignment, KNOWN, GIVEN if given else {})
    assert not refused, refused
    assert found.student == "alice"
    return found


@pytest.mark.parametrize(
    "newer",
    [
        "training_loop (1).py",
        "training_loop(2).py",
        "training_loop - Copy.py",
        "training_loop copy 2.py",
        "training_loop_v2_final.py",
        "Training_Loop_FINAL.py",
        "training-loop.py",
        "alice_training_loop.py",
        "new/training_loop.py",
        "new/training_loop (1).py",
        "final version/src/training_loop.py",
        "training_loop.ipynb",
        "training_loop.py.txt",
    ],
)
def test_the_newest_is_graded_whatever_it_is_called(tmp_path: Path, newer: str) -> None:
    text = notebook("new = 1") if newer.endswith("ipynb") else "new = 1"
    put(tmp_path / "class" / "alice", {"training_loop.py": "old = 1", newer: text})
    put(tmp_path / "class", {"bob/training_loop.py": "b = 1"})
    aged(tmp_path / "class" / "alice", "training_loop.py", newer)
    found, refused = take(tmp_path / "class")
    assert not refused and sorted(found) == ["alice", "bob"]
    assert found["alice"].program.text == "new = 1"
    (note,) = [n for n in found["alice"].notes if "more than once" in n]
    assert f"{newer} was graded" in note and "training_loop.py was not (it is older)" in note
    aged(tmp_path / "class" / "alice", newer, "training_loop.py")
    found, _ = take(tmp_path / "class")
    assert found["alice"].program.text == "old = 1", "the times tell, not the names"
    assert found["bob"].notes == ()


def test_the_files_beside_are_those_of_the_version_that_is_graded(tmp_path: Path) -> None:
    files = {
        "alice/training_loop.py": "old = 1",
        "alice/helper.py": "h = 'old'",
        "alice/new/training_loop.py": "new = 1",
        "alice/new/helper.py": "h = 'new'",
    }
    put(tmp_path, files)
    aged(tmp_path, *files)
    found = alice(tmp_path)
    assert dict(found.files) == {"training_loop.py": b"new = 1", "helper.py": b"h = 'new'"}


def test_a_newer_one_inside_an_archive_counts_too(tmp_path: Path) -> None:
    put(tmp_path, {"alice/training_loop.py": "old = 1"})
    zipped(tmp_path / "alice" / "final.zip", {"training_loop.py": "new = 1"})  # of today
    aged(tmp_path, "alice/training_loop.py")
    assert alice(tmp_path).program.text == "old = 1"
    (tmp_path / "alice" / "training_loop.py").unlink()
    zipped(tmp_path / "alice" / "final (1).zip", {"training_loop.py": f"# {STUB}"})
    assert alice(tmp_path).program.text == "new = 1"


def test_what_is_unfinished_is_no_version(tmp_path: Path) -> None:
    """The handout's file, downloaded again after the work was done."""
    files = {"alice/training_loop.py": WHOLE, "alice/training_loop (1).py": f"def f():\n    {STUB}"}
    aged(put(tmp_path, files), *files)
    found = alice(tmp_path)
    assert found.program.text == WHOLE
    assert "training_loop (1).py was not (it is unfinished)" in found.notes[0]


def test_what_lacks_an_asked_function_is_no_version(tmp_path: Path) -> None:
    """A plot or a first half that is named for the assignment, younger than the work."""
    files = {
        "alice/training_loop.py": WHOLE,
        "alice/training_loop_plots.py": "def plot(h):\n    return h\n",
        "alice/training_loop_first_half.py": "def train_one_epoch(m):\n    return {}\n",
    }
    aged(put(tmp_path, files), *files)
    found = alice(tmp_path, given=True)
    assert found.program.text == WHOLE
    assert found.notes[0].count("was not (it is unfinished)") == 2


@pytest.mark.parametrize("handout", [True, False])
def test_a_part_that_is_imported_is_no_version(tmp_path: Path, handout: bool) -> None:
    files = {
        "alice/training_loop.py": f"from training_loop_utils import *\n{WHOLE}",
        "alice/training_loop_utils.py": WHOLE.replace("{}", "1"),
    }
    aged(put(tmp_path, files), *files)
    found = alice(tmp_path, given=handout)
    assert found.program.main == "training_loop.py" and not found.notes


def test_what_tries_the_work_out_is_no_version(tmp_path: Path) -> None:
    files = {
        "alice/training_loop.py": WHOLE,
        "alice/check_training_loop.py": "from training_loop import evaluate, train_one_epoch\n",
        "alice/demo/run_training_loop.py": "import training_loop\n",
    }
    aged(put(tmp_path, files), *files)
    found = alice(tmp_path, given=True)
    assert found.program.main == "training_loop.py" and not found.notes


def test_where_times_do_not_tell_the_names_do(tmp_path: Path) -> None:
    """As after an unpacking that gives all files the time of day."""
    cases = [
        (("training_loop.py", "training_loop_old.py"), "training_loop.py"),
        (("training_loop.py", "old/training_loop.py"), "training_loop.py"),
        (("training_loop.py", "training_loop (1).py"), "training_loop (1).py"),
        (("training_loop (2).py", "training_loop (1).py"), "training_loop (2).py"),
        (("training_loop_v9.py", "training_loop_v10.py"), "training_loop_v10.py"),
        (("training_loop.py", "training_loop_final.py"), "training_loop_final.py"),
        (("training_loop.py", "new/training_loop.py"), "new/training_loop.py"),
        (("training_loop.py", "my_training_loop.py"), "training_loop.py"),
    ]
    for i, (names, wanted) in enumerate(cases):
        root = put(tmp_path / str(i), {f"alice/{n}": f"n = '{n}'" for n in names})
        for n in names:
            aged(root, f"alice/{n}")
        found = alice(root)
        assert found.program.text == f"n = '{wanted}'", names
        assert "was not" in found.notes[0]


def test_a_file_that_calls_itself_old_is_old_whatever_its_time(tmp_path: Path) -> None:
    """A backup that was made last has the youngest time."""
    files = {"alice/training_loop.py": "new = 1", "alice/training_loop_backup.py": "old = 1"}
    aged(put(tmp_path, files), *files)
    assert alice(tmp_path).program.text == "new = 1"


def test_where_nothing_tells_a_person_is_asked(tmp_path: Path) -> None:
    for i, names in enumerate(
        [
            ("my_training_loop.py", "training_loop_mine.py"),
            ("a/training_loop.py", "b/training_loop.py"),
        ]
    ):
        root = put(tmp_path / str(i), {f"alice/{n}": f"n = '{n}'" for n in names})
        for n in names:
            aged(root, f"alice/{n}")
        found, refused = take(root)
        assert not found and f"several programs could be the one to grade: {names[0]}, " in (
            refused["alice"].reason
        )
        assert "keep one, named training_loop.ipynb" in refused["alice"].reason


def test_files_of_any_name_are_versions_where_each_holds_all_that_is_asked(tmp_path: Path) -> None:
    files = {"alice/one.py": WHOLE, "alice/two.py": WHOLE.replace("{}", "2")}
    aged(put(tmp_path, files), *files)
    assert alice(tmp_path, A4, given=True).program.main == "two.py"
    _, refused = collect([tmp_path], A4, KNOWN)
    assert "several programs" in refused[0].reason, "without the handout nobody can tell"
    (tmp_path / "alice" / "two.py").write_text("from one import *\n")
    assert alice(tmp_path, A4).program.main == "two.py", "what imports the other is the whole"


def test_a_newer_one_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    files = {"alice/training_loop.py": "old = 1", "alice/training_loop.ipynb": "{torn"}
    aged(put(tmp_path, files), *files)
    found = alice(tmp_path)
    assert found.program.text == "old = 1" and "not taken: training_loop.ipynb" in found.notes[-1]
    assert "a newer file was not taken: training_loop.ipynb" in found.attention[0]
    aged(tmp_path, *list(files)[::-1])
    assert alice(tmp_path).attention == ()


def test_each_assignment_has_its_own_newest(tmp_path: Path) -> None:
    files = {
        "alice/training_loop.py": "old4 = 1",
        "alice/five_beats (1).py": "new5 = 1",
        "alice/five_beats.py": "newest5 = 1",
        "alice/training_loop_v2.py": "new4 = 1",
    }
    aged(put(tmp_path, files), *files)
    found, refused = collect([tmp_path], None, KNOWN)
    assert not refused
    assert {s.assignment: s.program.text for s in found} == {A4: "new4 = 1", A5: "newest5 = 1"}
    assert [s.program.text for s in collect([tmp_path], A4, KNOWN)[0]] == ["new4 = 1"]


def test_the_assignments_folder_and_a_file_beside_it_are_versions_of_one_work(
    tmp_path: Path,
) -> None:
    files = {f"alice/{A4}/work.py": "old = 1", "alice/training_loop.py": "new = 1"}
    aged(put(tmp_path, files), *files)
    assert alice(tmp_path, A4).program.text == "new = 1"
    aged(tmp_path, *list(files)[::-1])
    assert alice(tmp_path, A4).program.text == "new = 1", "by its name, which the other lacks"


def test_a_folder_that_is_named_itself_is_one_students(tmp_path: Path) -> None:
    """`autograder grade class/alice`, with a copy, an archive and a package in it."""
    files = {
        "alice/training_loop.py": "old = 1\nfrom lib.nets import MLP\nimport helper",
        "alice/lib/nets.py": "n = 1",
        "alice/helper.py": "n = 1",
        "alice/old version/training_loop.py": "oldest = 1",
        "alice/training_loop (1).py": "new = 1",
    }
    aged(put(tmp_path, files), *files)
    found = alice(tmp_path / "alice")
    assert found.program.text == "new = 1" and "lib/nets.py" in found.files


def test_many_versions_are_not_all_read(tmp_path: Path) -> None:
    names = [f"training_loop_v{i}.py" for i in range(60)]
    put(tmp_path / "alice", {n: f"v = '{n}'" for n in names})
    aged(tmp_path / "alice", *names)
    found = alice(tmp_path)
    assert found.program.main == "training_loop_v59.py"
    assert "and 15 more" in found.notes[0]
    assert f"not taken: 36 more programs for {A4}, which were not looked at" in found.notes


def test_large_versions_are_not_all_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.intake.collect.PROGRAM_CAP", 1000)
    names = [f"training_loop_v{i}.py" for i in range(5)]
    put(tmp_path / "alice", {n: f"v = '{n}'\n" + " " * 400 for n in names})
    aged(tmp_path / "alice", *names)
    found = alice(tmp_path)
    assert found.program.main == "training_loop_v4.py"
    assert f"not taken: 3 more programs for {A4}, which were not looked at" in found.notes


def test_archives_share_what_one_student_may_unpack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.intake.collect.STUDENT_ZIP_CAP", 5_000)
    put(tmp_path, {"alice/training_loop.py": "old = 1"})
    for i in range(4):
        files = {"training_loop.py": f"n = {i}", "x.bin": "x" * 2_000}
        (tmp_path / "alice" / f"final v{i}.zip").write_bytes(packed(files))
    found = alice(tmp_path)
    assert sum("would unpack to more than" in n for n in found.notes) == 2


# -- loose files ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["alice (1).py", "alice(3).py", "alice copy.py", "alice - Kopie (2).py", "alice (2).py.txt"],
)
def test_a_copy_of_a_loose_file_is_the_same_students(tmp_path: Path, name: str) -> None:
    put(tmp_path, {"alice.py": "old = 1", name: "new = 1", "bob.py": "b = 1"})
    aged(tmp_path, "alice.py", name)
    found, refused = take(tmp_path, A4)
    assert sorted(found) == ["alice", "bob"] and not refused
    assert found["alice"].program.text == "new = 1"
    assert f"{name} was graded, alice.py was not" in " ".join(found["alice"].notes)


def test_copies_of_a_loose_archive_and_a_folder_are_the_same_students(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "alice.zip": packed({"training_loop.py": f"def f():\n    {STUB}"}),
            "alice (1).zip": packed({"training_loop.py": "zipped = 1"}),
            "bob/training_loop.py": "old = 1",
            "bob (1).py": "new = 1",
        },
    )
    aged(tmp_path, "bob/training_loop.py", "bob (1).py")
    found, refused = take(tmp_path, A4)
    assert not refused
    assert {s: w.program.text for s, w in found.items()} == {
        "alice": "zipped = 1",
        "bob": "new = 1",
    }


def test_names_that_people_have_are_no_copies(tmp_path: Path) -> None:
    names = ["chen1", "chen2", "chen_2", "lee-3", "v1", "copy", "kim_final", "new", "old_v2"]
    put(tmp_path, {f"{n}.py": f"n = '{n}'" for n in names})
    found, refused = take(tmp_path, A4)
    assert sorted(found) == sorted(names) and not refused
    put(tmp_path, {"kim.py": "k = 1"})
    assert "kim_final" not in take(tmp_path, A4)[0], "where there is a kim, too, it is hers"


def test_a_loose_copy_alone_is_a_student_without_the_mark(tmp_path: Path) -> None:
    found, _ = take(put(tmp_path, {"alice (1).py": "1", "bob copy.ipynb": notebook("1")}), A4)
    assert sorted(found) == ["alice", "bob"]


def test_of_canvas_uploads_the_last_is_graded_whatever_its_name(tmp_path: Path) -> None:
    """Canvas keeps no times in its zip, but numbers what is uploaded."""
    files = {
        "ann_5_31_training_loop.py": "old = 1",
        "ann_5_47_training_loop_final.py": "new = 1",
        "bob_6_33_training_loop_v2.py": "new = 1",
        "bob_6_30_training_loop.py": "old = 1",
    }
    found, refused = take(aged(put(tmp_path, files), *list(files)[::-1]))
    assert not refused
    assert {s: w.program.text for s, w in found.items()} == {"ann_5": "new = 1", "bob_6": "new = 1"}


def test_what_canvas_numbers_is_the_archive_and_all_in_it(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "ann_5_31_training_loop.py": "old = 1",
        "ann_5_47_work.zip": packed({"training_loop.py": "new = 1"}),
        "bob_6_33_training_loop.py": "new = 1",
        "bob_6_30_work.zip": packed({"training_loop.py": "old = 1"}),
    }
    found, refused = take(put(tmp_path, files))
    assert not refused
    assert {s: w.program.text for s, w in found.items()} == {"ann_5": "new = 1", "bob_6": "new = 1"}


@pytest.mark.parametrize("empty", ["", "# nothing yet\n", notebook()])
def test_an_empty_file_is_no_version(tmp_path: Path, empty: str) -> None:
    name = "training_loop (1)." + ("ipynb" if empty.startswith("{") else "py")
    files = {"alice/training_loop.py": f"x = 1\n{STUB}", f"alice/{name}": empty}
    aged(put(tmp_path, files), *files)
    assert alice(tmp_path).program.text.startswith("x = 1")


# -- the handout itself ---------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["py", "ipynb"])
@pytest.mark.parametrize("assignment", MODULES)
def test_an_untouched_handout_is_told(tmp_path: Path, assignment: str, suffix: str) -> None:
    known = MODULES
    name = f"{known[assignment]}.{suffix}"
    raw = (ROOT / "release" / assignment / name).read_text(encoding="utf-8")
    put(tmp_path, {f"alice/{name}": raw})
    given = handouts(ROOT, known)
    (found,), _ = collect([tmp_path], None, known, given)
    assert found.attention == (UNTOUCHED,)
    worked = raw.replace("raise NotImplementedError()", "pass", 1)
    put(tmp_path, {f"alice/{name}": worked})
    (found,), _ = collect([tmp_path], None, known, given)
    assert found.attention == ()


# -- people are not versions ----------------------------------------------------------------------


@pytest.mark.parametrize("wrap", ["section1", A4, "04 training loop/submissions"])
def test_a_class_one_level_down_is_not_one_students_work(tmp_path: Path, wrap: str) -> None:
    files: dict[str, str | bytes] = {
        f"{wrap}/alice/training_loop.py": "a = 1",
        f"{wrap}/bob/training_loop.py": "b = 1",
        f"{wrap}/carol.zip": packed({"training_loop.py": "c = 1"}),
    }
    put(tmp_path, {**files, "dora/training_loop.py": "d = 1"})
    found, refused = take(tmp_path)
    assert sorted(found) == ["dora"]
    (reason,) = [r.reason for r in refused.values()]
    assert "several programs" in reason and "of a class, name its own folder" in reason
    inner = wrap.partition("/")[0]
    if "/" not in wrap:
        assert sorted(take(tmp_path / inner, A4)[0]) == ["alice", "bob", "carol"]


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("attempt 1", "attempt 2"),
        ("2026-10-10", "2026-10-12"),
        ("v1", "v2"),
        ("first try", "second try"),
        ("lab", "lab_final"),
    ],
)
def test_folders_that_say_which_is_which_are_versions(
    tmp_path: Path, older: str, newer: str
) -> None:
    files = {
        f"alice/{older}/training_loop.py": "old = 1",
        f"alice/{newer}/training_loop.py": "new = 1",
    }
    aged(put(tmp_path, files), *files)
    assert alice(tmp_path).program.text == "new = 1"


def test_a_students_folder_of_nbgrader_can_be_named_itself(tmp_path: Path) -> None:
    files = {f"alice/{A4}/training_loop.py": "a4 = 1", f"alice/{A5}/five_beats.py": "a5 = 1"}
    put(tmp_path, files)
    found, refused = collect([tmp_path / "alice"], None, KNOWN)
    assert not refused and {s.student for s in found} == {"alice"}
    assert alice(tmp_path / "alice", A5).program.text == "a5 = 1"


def test_what_a_shell_makes_of_a_class_is_the_class(tmp_path: Path) -> None:
    """`autograder grade class/*`: copies are no students, and a roster is nobody."""
    files: dict[str, str | bytes] = {
        "alice.py": "old = 1",
        "alice (1).py": "new = 1",
        "bob.zip": packed({"training_loop.py": "b = 1"}),
        "bob_v2.py": "b = 2",
        "carol/training_loop.py": "c = 1",
        "README.md": "#",
        "roster.csv": "a",
    }
    aged(put(tmp_path, files), *files)
    found, refused = collect(sorted(tmp_path.iterdir()), A4, KNOWN)
    assert not refused
    assert {s.student: s.program.text for s in found} == {
        "alice": "new = 1",
        "bob": "b = 2",
        "carol": "c = 1",
    }
    (tmp_path / "mallory.py").symlink_to(tmp_path / "alice (1).py")
    (tmp_path / "mallory2").symlink_to(tmp_path / "carol")
    found, refused = collect(sorted(tmp_path.iterdir()), A4, KNOWN)
    assert [s.student for s in found] == ["alice", "bob", "carol"]
    assert [r.student for r in refused] == ["mallory", "mallory2"]
    (alone,), _ = collect([tmp_path / "mallory.py"], A4, KNOWN)
    assert alone.program.text == "new = 1"
