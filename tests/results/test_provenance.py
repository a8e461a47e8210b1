"""What a folder of grades remembers: one kind of grades in it, and whom its classes hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from autograder.course import config
from autograder.course.config import Course
from autograder.errors import InputError
from autograder.grading import batch, regrade
from autograder.model import Graded as Answer
from autograder.model import Limits, Submission
from autograder.results import files, provenance
from autograder.results.provenance import Graded, Images, Provenance, Rules, Run
from tests.cli.test_main import course, plain  # noqa: F401 - fixtures
from tests.cli.test_main import run as command
from tests.course.test_images import make_root
from tests.grading import test_batch
from tests.grading.test_batch import rows, submission
from tests.handing import A4, A5


class Fake(test_batch.Fake):
    """A grader of every assignment."""

    def grade(self, s: Submission, /) -> Answer:
        answer = super().grade(s)
        return replace(answer, result=replace(answer.result, assignment=s.assignment))


RULES = Rules(1, "abc", {"wall_s": 120.0})
MNIST = {"mnist": Images("/srv/a", "mnist-aaaaaa")}


def told(
    assignment: str,
    *students: str,
    whole: bool = True,
    rules: Rules | None = RULES,
    data: Mapping[str, Images] = MNIST,
    device: str = "cpu",
    places: Mapping[str, str] | None = None,
) -> Run:
    homes = {s: (places or {}).get(s, "/") for s in students}
    return Run(Provenance(device, data, {assignment: Graded(rules, homes)}), whole)


def grade(out: Path, run: Run, *, told_also: Run | None = None) -> batch.Batch:
    """A class of the students that `run` names, each with a program of their own."""
    works = [
        replace(submission(s, f"s = '{s}'"), assignment=a)
        for a, graded in run.record.assignments.items()
        for s in graded.students
    ]
    return batch.run(Fake(), works, [], out, told=run)


def table(out: Path) -> dict[tuple[str, str], str]:
    return {(r["student"], r["assignment"]): r["message"] for r in rows(out)}


def test_who_left_is_told_and_marked_and_comes_back(tmp_path: Path) -> None:
    first = grade(tmp_path, told(A4, "alice", "bob", "carol"))
    assert first.gone == ()
    second = grade(tmp_path, told(A4, "alice", "robert", "carol"))
    assert [(r.student, r.assignment) for r in second.gone] == [("bob", A4)]
    assert [r.student for r in second.results] == ["alice", "carol", "robert"]
    now = table(tmp_path)
    assert now["bob", A4] == files.GONE and len(now) == 4
    assert now["robert", A4] == now["alice", A4] == ""
    third = grade(tmp_path, told(A4, "alice", "bob", "carol"))
    assert [r.student for r in third.gone] == ["robert"]
    assert table(tmp_path)["bob", A4] == ""
    fourth = grade(tmp_path, told(A4, "alice", "carol"))
    assert [r.student for r in fourth.gone] == ["bob", "robert"], "told as long as they are there"


def test_another_assignment_marks_nobody(tmp_path: Path) -> None:
    """Several weeks in one folder, and students who skip one."""
    grade(tmp_path, told(A4, "alice", "bob"))
    assert grade(tmp_path, told(A5, "alice", "carol")).gone == ()
    assert set(table(tmp_path).values()) == {""}
    again = grade(tmp_path, told(A4, "alice"))
    assert [(r.student, r.assignment) for r in again.gone] == [("bob", A4)]
    assert table(tmp_path)["carol", A5] == ""
    record = provenance.read(tmp_path)
    assert set(record.assignments[A4].students) == {"alice"}
    assert set(record.assignments[A5].students) == {"alice", "carol"}


def test_a_single_student_marks_nobody_whose_work_still_lies_there(tmp_path: Path) -> None:
    homes = {s: tmp_path / "class" / s for s in ("alice", "bob", "carol")}
    for home in homes.values():
        home.mkdir(parents=True)
    places = {s: str(p) for s, p in homes.items()}
    out = tmp_path / "out"
    grade(out, told(A4, "alice", "bob", "carol", places=places))
    assert grade(out, told(A4, "alice", whole=False, places=places)).gone == ()
    homes["bob"].rename(homes["bob"].with_name("robert"))
    places["robert"] = str(homes["bob"].with_name("robert"))
    done = grade(out, told(A4, "robert", whole=False, places=places))
    assert [r.student for r in done.gone] == ["bob"], "as when a shell names class/*"
    assert set(provenance.read(out).assignments[A4].students) == {"alice", "carol", "robert"}


def test_who_could_not_be_taken_in_is_there_too(tmp_path: Path) -> None:
    from autograder.intake.collect import Refused

    grade(tmp_path, told(A4, "alice", "bob"))
    both = told(A4, "alice", "bob")
    work = replace(submission("alice", "s = 'alice'"), assignment=A4)
    done = batch.run(
        Fake(), [work], [Refused("bob", "bob.pdf", "it is a PDF", A4)], tmp_path, told=both
    )
    assert done.gone == () and "it is a PDF" in table(tmp_path)["bob", A4]


def test_work_of_no_known_assignment_leaves_too(tmp_path: Path) -> None:
    from autograder.intake.collect import Refused

    lost = [Refused("bob", "bob.py", "cannot tell which")]
    run = Run(Provenance("cpu", {}, {"": Graded(None, {"bob": "/"})}), whole_class=True)
    batch.run(Fake(), [], lost, tmp_path, told=run)
    assert grade(tmp_path, told(A5, "alice")).gone == ()
    empty = {"": Graded(None, {}), A5: Graded(RULES, {"alice": "/"})}
    done = grade(tmp_path, Run(Provenance("cpu", MNIST, empty), whole_class=True))
    assert [(r.student, r.assignment) for r in done.gone] == [("bob", "")]


def test_a_folder_without_a_record_is_taken_as_it_is(tmp_path: Path) -> None:
    """Graded before there were records, or the record was removed."""
    grade(tmp_path, told(A4, "alice", "bob"))
    (tmp_path / provenance.NAME).unlink()
    assert grade(tmp_path, told(A4, "alice", whole=False)).gone == ()
    (tmp_path / provenance.NAME).unlink()
    assert [r.student for r in grade(tmp_path, told(A4, "alice")).gone] == ["bob"]


def test_marks_outlive_a_report_and_leave_the_grade_as_it_was(tmp_path: Path) -> None:
    from autograder.report import pages
    from autograder.results import totals

    grade(tmp_path, told(A4, "alice", "bob"))
    grade(tmp_path, told(A4, "alice"))
    rules = Course.model_validate({"course": "c", "assignments": [A4]})
    totals.settle(tmp_path, rules)
    assert table(tmp_path)["bob", A4] == files.GONE
    (row,) = [r for r in rows(tmp_path) if r["student"] == "bob"]
    assert (row["status"], row["score"]) == ("graded", "2")
    page = pages.write(tmp_path, rules).read_text()
    attention = page.partition("Needs a person")[2].partition("</section>")[0]
    assert "bob" in attention and files.GONE in attention
    assert "1 graded" in page, "who left is not counted"


# -- one kind of grades ------------------------------------------------------------------------


def snapshot(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*.json"))} | {
        "table": (out / "grades.csv").read_bytes()
    }


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (
            told(A4, "alice", device="cuda"),
            r"was graded on cpu, and this would be cuda \(say --dev",
        ),
        (
            told(A4, "alice", "bob", data={"mnist": Images("/srv/b", "mnist-bbbbbb")}),
            (
                r"mnist images of /srv/a \(aaaaaa\), and this would be on the mnist images of "
                r".*\(say --data /srv/a or leave it out, or choose another -o\)"
            ),
        ),
        (
            told(A5, "zoe", data={"mnist": Images("embedded", "digits-cccccc")}),
            r"and this would be on the built-in digits",
        ),
        (
            told(A4, "alice", whole=False, rules=Rules(2, "abc", RULES.limits)),
            (
                r"04-training-loop was graded by other rules \(version 1, now 2\), and 1 of its "
                r"students would keep that \(grade the whole class again, or choose another -o\)"
            ),
        ),
        (
            told(A4, "alice", whole=False, rules=Rules(1, "abc", {"wall_s": 60.0})),
            r"by other limits \(wall_s 120.0, now 60.0\)",
        ),
        (
            told(A4, "alice", whole=False, rules=Rules(1, "xyz", RULES.limits)),
            r"by other checks than assignment.yml now states.*\(autograder regrade ",
        ),
    ],
)
def test_a_mix_is_refused_in_one_line_before_anything_changes(
    tmp_path: Path, run: Run, said: str
) -> None:
    grade(tmp_path, told(A4, "alice", "bob"))
    before = snapshot(tmp_path)
    with pytest.raises(InputError, match=said) as caught:
        grade(tmp_path, run)
    assert "\n" not in str(caught.value)
    assert snapshot(tmp_path) == before


def test_the_same_images_elsewhere_are_no_mix(tmp_path: Path) -> None:
    grade(tmp_path, told(A4, "alice"))
    grade(tmp_path, told(A4, "alice", data={"mnist": Images("/media/usb", "mnist-aaaaaa")}))
    assert provenance.read(tmp_path).data["mnist"].root == "/media/usb"


def test_a_whole_class_may_be_graded_by_new_rules(tmp_path: Path) -> None:
    grade(tmp_path, told(A4, "alice", "bob"))
    newer = Rules(2, "new", {"wall_s": 60.0})
    grade(tmp_path, told(A4, "alice", rules=newer))
    assert provenance.read(tmp_path).assignments[A4].rules == newer
    grade(tmp_path, told(A4, "alice", whole=False, rules=newer))


def test_a_run_that_was_broken_off_before_its_first_grade_binds_nobody(tmp_path: Path) -> None:
    """Somebody had forgotten --data."""

    def broken(s: Submission) -> None:
        raise KeyboardInterrupt

    work = [replace(submission("alice", "s = 'alice'"), assignment=A4)]
    batch.run(Fake(hook=broken), work, [], tmp_path, told=told(A4, "alice"))
    assert provenance.read(tmp_path).data == MNIST
    other = told(A4, "alice", data={"mnist": Images("/srv/b", "mnist-bbbbbb")}, device="cuda")
    grade(tmp_path, other)
    assert provenance.read(tmp_path).device == "cuda"
    with pytest.raises(InputError, match="was graded on cuda"):
        grade(tmp_path, told(A4, "alice"))


def test_a_class_that_was_broken_off_under_new_rules_is_a_mix_until_it_is_done(
    tmp_path: Path,
) -> None:
    grade(tmp_path, told(A4, "alice", "bob"))
    newer = Rules(2, "new", {"wall_s": 60.0})
    works = [replace(submission(s, f"s = '{s}2'"), assignment=A4) for s in ("alice", "bob")]

    def broken(done: int, total: int, result: object) -> None:
        raise KeyboardInterrupt

    run = told(A4, "alice", "bob", rules=newer)
    assert batch.run(Fake(version=2), works, [], tmp_path, told=run, progress=broken).interrupted
    with pytest.raises(InputError, match="grade the whole class again"):
        grade(tmp_path, told(A4, "alice", whole=False, rules=newer))
    batch.run(Fake(version=2), works, [], tmp_path, told=run)
    grade(tmp_path, told(A4, "alice", whole=False, rules=newer))


def test_a_root_that_is_named_for_another_data_set_must_not_be_another_one(
    tmp_path: Path,
) -> None:
    """04 was graded on one root, and 05 is to be on another that has the same data sets."""
    roots = [make_root(tmp_path / n, folder="MNIST", seed=i) for i, n in enumerate("ab")]
    for i, root in enumerate(roots):
        make_root(root / "x", folder="FashionMNIST", seed=5 + i)
        (root / "x" / "FashionMNIST").rename(root / "FashionMNIST")
    from autograder.course.images import content_of

    def on(root: Path, dataset: str) -> dict[str, Images]:
        return {dataset: Images(str(root), content_of(dataset, root))}

    out = tmp_path / "out"
    grade(out, told(A4, "alice", data=on(roots[0], "mnist")))
    other = replace(told(A5, "alice", data=on(roots[1], "fashion-mnist")), named_root=True)
    with pytest.raises(InputError, match="choose another -o"):
        grade(out, other)
    grade(out, replace(told(A5, "alice", data=on(roots[0], "fashion-mnist")), named_root=True))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema": 1}', '{"schema": 1, "data": []}', "\x00"]
)
def test_a_broken_record_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / provenance.NAME).write_text(text)
    with pytest.raises(InputError, match=r"provenance.json: cannot be read.*\(remove it and grade"):
        grade(tmp_path, told(A4, "alice"))


def test_a_record_of_another_version_is_one_line(tmp_path: Path) -> None:
    (tmp_path / provenance.NAME).write_text('{"schema": 9}')
    with pytest.raises(InputError, match="another version"):
        provenance.read(tmp_path)


def test_a_record_is_small_and_comes_back_as_it_was(tmp_path: Path) -> None:
    names = {"Jörg": "/srv/class/Jörg", "=x": "", "alice": "/srv"}
    graded = Graded(RULES, names, ("/srv/class", "/srv/b.zip"))
    record = Provenance("cuda", MNIST, {A4: graded, "": Graded(None, {})})
    provenance.write(tmp_path, record)
    assert provenance.read(tmp_path) == record
    raw = json.loads((tmp_path / provenance.NAME).read_text())
    assert raw["schema"] == 1 and raw["assignments"][A4]["students"]["alice"] == "/srv"


def test_rules_tell_what_a_grade_depends_on() -> None:
    from tests.grading.test_batch import spec

    one = Rules.of(spec(), Limits())
    assert one == Rules.of(spec(), Limits()) != Rules.of(spec(), Limits(wall_s=5))
    dearer = spec().model_copy(update={"checks": ()})
    assert Rules.of(dearer, Limits()).checks != one.checks
    assert Rules.of(spec().model_copy(update={"shown": ("x",)}), Limits()) == one


# -- by the command line ---------------------------------------------------------------------------


@pytest.fixture
def pictured(course: Path) -> Path:  # noqa: F811 - the fixture
    """The small course, with images."""
    path = course / "assignments" / A4 / "assignment.yml"
    spec = yaml.safe_load(path.read_text())
    spec["data"] = {"dataset": "mnist", "train": 100, "test": 50, "hidden": 50}
    path.write_text(yaml.safe_dump(spec))
    for seed, name in enumerate("ab"):
        make_root(course / name, train=200, test=120, seed=seed)
    return course


GRADE = f"grade class -a {A4} -o out --sandbox none --i-trust-every-submission --jobs 1"


def test_the_images_of_a_folder_are_remembered(
    pictured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command(f"{GRADE} --data a").exit_code == 0
    before = snapshot(pictured / "out")
    again = command(GRADE)
    assert "2 of them before" in again.stdout
    assert again.stderr == f"images: {pictured / 'a'} for mnist, as in earlier gradings\n"
    assert snapshot(pictured / "out") == before
    judged_on = []
    real = regrade.run

    def watched(judges: regrade.Judges, out: Path) -> regrade.Regraded:
        judged_on.append(judges.images(A4)["mnist"].root)
        return real(judges, out)

    monkeypatch.setattr(regrade, "run", watched)
    done = command("regrade out")
    assert "2 judged again, 0 changed" in done.output
    assert judged_on == [str(pictured / "a")]
    assert snapshot(pictured / "out") == before


@pytest.mark.parametrize("order", ["grade", "regrade"])
@pytest.mark.parametrize("other", ["b", "embedded"])
def test_other_images_are_refused(pictured: Path, order: str, other: str) -> None:
    command(f"{GRADE} --data a")
    before = snapshot(pictured / "out")
    line = f"{GRADE} --data {other}" if order == "grade" else f"regrade out --data {other}"
    with pytest.raises(InputError, match=r"out: was graded on the mnist images of .*/a .*-o") as e:
        command(line)
    assert "\n" not in str(e.value) and snapshot(pictured / "out") == before
    (pictured / "a").rename(pictured / "moved")
    with pytest.raises(InputError, match="graded on before is not a folder"):
        command(GRADE)
    assert command(f"{GRADE} --data moved").exit_code == 0, "the same images elsewhere"


def test_built_in_digits_are_remembered_too(
    pictured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(GRADE)
    monkeypatch.setenv("FIVE_BEATS_DATA", str(pictured / "b"))
    again = command(GRADE)
    assert "2 of them before" in again.stdout
    assert "images: embedded for mnist, as in earlier gradings" in again.stderr


def test_a_student_who_was_renamed_is_told(pictured: Path) -> None:
    command(GRADE)
    (pictured / "class" / "alice.py").rename(pictured / "class" / "alicia.py")
    done = command(GRADE)
    assert done.exit_code == 0
    assert f"alice {A4}: no longer in the class folder; the row stays" in done.stdout
    assert "remove out/results/alice/" in done.stdout
    assert {s: m for (s, _), m in table(pictured / "out").items()}["alice"] == files.GONE
    (pictured / "out" / "results" / "alice" / f"{A4}.json").unlink()
    again = command(GRADE)
    assert "no longer" not in again.stdout and sorted(dict(table(pictured / "out"))) == [
        ("alicia", A4),
        ("bob", A4),
    ]


def test_one_student_under_other_limits_is_refused(pictured: Path) -> None:
    command(GRADE)
    with (pictured / "grading_config.yml").open("a") as f:
        f.write("limits: {output_kb: 128}\n")
    config.course.cache_clear()
    with pytest.raises(InputError, match=r"by other limits \(output_kb 256, now 128\), and 1 of"):
        command(GRADE.replace("grade class", "grade class/alice.py"))
    assert "of them before" not in command(GRADE).stdout


def test_a_device_is_remembered(pictured: Path) -> None:
    command(GRADE)
    with pytest.raises(InputError, match="was graded on cpu, and this would be cuda"):
        command(f"{GRADE} --device cuda")


def test_a_folder_of_the_class_is_a_student_whatever_lies_in_it(pictured: Path) -> None:
    """`grade class/bob` after `grade class`, of a student whose file has a name of its own."""
    (pictured / "class" / "bob" / "training_loop.ipynb").rename(
        pictured / "class" / "bob" / "my lab.ipynb"
    )
    command(GRADE)
    one = command(GRADE.replace("grade class", "grade class/bob"))
    assert "no longer" not in one.stdout and "1 of them before" in one.stdout
    new = pictured / "class" / "carol"
    new.mkdir()
    (new / "lab four.py").write_text((pictured / "class" / "alice.py").read_text() + "c = 1")
    two = command(GRADE.replace("grade class", "grade class/carol"))
    assert "no longer" not in two.stdout
    assert sorted(s for s, _ in table(pictured / "out")) == ["alice", "bob", "carol"]


def test_the_folder_of_grades_is_nobodys_work(pictured: Path) -> None:
    inside = GRADE.replace("-o out", "-o class/graded")
    command(inside)
    again = command(inside)
    assert again.exit_code == 0 and "2 submissions" in again.stdout
    assert sorted(s for s, _ in table(pictured / "class" / "graded")) == ["alice", "bob"]
