"""Inside Gradescope's container: grade the one submission that lies there.

    /autograder/submission/                the student's files
    /autograder/submission_metadata.json   when it was handed in, when it was due, by whom
    /autograder/results/results.json       what Gradescope shows

`python -m autograder.gradescope ROOT` is what `run_autograder` runs (see `exports.gradescope_zip`);
ROOT is `/autograder` but in a trial. With `--try` it grades nothing and proves that a box opens,
so that an image which could not grade is not built.

Theory. Before any line of the student's code runs, all of ROOT is closed to other users: the zip
with the hidden half, the metadata with earlier results, the results themselves. A grader's own
fault leaves no results.json and ends with status 1, which Gradescope shows as a failure of the
autograder and not as a score.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from .course.config import Assignment, Course
from .course.images import EMBEDDED
from .errors import FiveBeatsError, GraderError
from .exports.gradescope import Handin, metadata, results, unusable
from .grading.grader import Grader
from .intake.collect import of_one
from .intake.handout import handouts
from .model import Job, Json, Limits, Program
from .results import lateness
from .results.files import write_whole
from .text import clean

COURSE = Path(__file__).resolve().parent.parent


def seal(root: Path) -> None:
    """Close everything below Gradescope's folder to other users."""
    for path in sorted(root.iterdir()):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o700)


def grader(course: Path) -> Grader:
    """The grader of the one assignment that the zip holds, on the images that it carries."""
    images = course / "data"
    return Grader(course, "uid", images if images.is_dir() else Path(EMBEDDED))


def grade(root: Path, course: Path = COURSE) -> dict[str, Json]:
    """Grade what lies at `root`; returns its results.json. Raises `GraderError` where it cannot."""
    seal(root)
    handed = metadata(root / "submission_metadata.json")
    with grader(course) as own:
        (assignment,) = own.ids()
        spec = own.assignment(assignment)
        known = {assignment: spec.module}
        student = ", ".join(handed.users) or "the student"
        given = handouts(course, known)
        found, refused = of_one(root / "submission", student, assignment, known, given)
        if not found:
            why = "; ".join(r.reason for r in refused) or "no file was handed in"
            return unusable(why, spec.points)
        origin = {"tool": "gradescope", "emails": list(handed.emails)}
        work = replace(found[0], submitted_at=handed.created_at, origin=origin)
        result = own.grade(work).result
        assert own.course is not None
        result = replace(result, notes=(*result.notes, *work.notes), origin=origin)
    rules = policy(own.course, spec, handed)
    return results(lateness.judged(result, rules), rules)


def policy(course: Course, spec: Assignment, handed: Handin) -> Course:
    """The course with the due time that Gradescope states, where it states one."""
    if not handed.due_date:
        return course
    return course.model_copy(update={"due": {**course.due, spec.id: handed.due_date}})


def attempt(course: Path = COURSE) -> None:
    """Prove that this container can grade: a box opens, and a program in it imports torch.

    Raises `GraderError` with what is wrong.
    """
    with grader(course) as own:
        own.ids()
        job = Job(Program("script", "trial.py", ("import torch\n",)), {}, Limits())
        with own.sandbox.open(job) as box:
            load = box.load()
    if load.status != "done" or load.errors:
        raise GraderError(
            f"a box opened, but torch did not import in it: {[str(e) for e in load.errors]}",
            remedy="read the log of setup.sh",
        )


def main(arguments: list[str]) -> int:
    """Returns the exit status: 0 with a results.json, 1 without."""
    if arguments == ["--try"]:
        attempt()
        print("a box opens here, and torch is in it")
        return 0
    (name,) = arguments
    target = Path(name) / "results" / "results.json"
    target.unlink(missing_ok=True)
    found = grade(Path(name))
    write_whole(target, json.dumps(found, indent=1, allow_nan=False).encode())
    print(f"{found['score']} points")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except FiveBeatsError as e:
        print(f"autograder: could not grade, which is not a zero: {clean(str(e))}", file=sys.stderr)
        sys.exit(1)
