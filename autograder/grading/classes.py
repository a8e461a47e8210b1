"""A class whose grades lie in OUT, taken in once more from where it was named."""

from __future__ import annotations

from pathlib import Path

from ..course import config
from ..course.config import Course
from ..errors import InputError
from ..intake.collect import take_in
from ..intake.handout import handouts
from ..model import Submission
from ..results.provenance import Provenance
from .batch import newest


def again(
    assignment: str, record: Provenance, root: Path, course: Course | None
) -> list[Submission]:
    """The work for `assignment` that lies in the class's folders now, as a grading would find it.

    Empty where the record holds no class. Raises `InputError` where a folder of it is not there
    any more, or cannot be taken in.
    """
    graded = record.assignments.get(assignment)
    classes = [Path(p) for p in (graded.classes if graded is not None else ())]
    if graded is None or not classes:
        return []
    lost = [p for p in classes if not p.exists()]
    if lost:
        raise InputError(
            f"the class folder {lost[0]} is not there any more", remedy="put it back, or grade anew"
        )
    ids = [] if course is None else course.assignments
    paths = {i: root / "assignments" / i / "assignment.yml" for i in ids}
    known = {i: config.assignment(p).module for i, p in paths.items() if p.is_file()}
    zone = None if course is None else course.zone
    stated = assignment if graded.stated else None
    taken = take_in(classes, stated, known, handouts(root, known), zone, record.classes)
    return newest([s for s in taken.submissions if s.assignment == assignment])
