"""Lay out the sample submissions as a class: one folder per student, one below it per assignment.

    python scripts/demo_class.py build/class [some|all]

A sample's folder name stands for the student, so that the graded table can be read against
it: `bug_missing_zero_grad` should lose points for `missing_zero_grad`. `some` takes a few
correct styles and one sample per bug of every assignment; `all` takes every sample.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORRECT = 3
"""Correct samples per assignment in `some`."""


def chosen(assignment: Path, which: str) -> list[Path]:
    """The sample folders of one assignment to take, by name."""
    samples = sorted(p for p in (assignment / "submissions").iterdir() if p.is_dir())
    if which == "all":
        return samples
    correct = [p for p in samples if p.name.startswith("correct_")]
    notebooks = [p for p in correct if any(p.glob("*.ipynb"))]
    scripts = [p for p in correct if p not in notebooks]
    few = notebooks[:1] + scripts[: CORRECT - 1]
    # `bug_x__variant` is another way to have the same bug; hostile ones run into their limits.
    bugs = [p for p in samples if p.name.startswith("bug_") and "__" not in p.name]
    return sorted(few + bugs)


def main(target: Path, which: str) -> None:
    """Write the class anew into `target`."""
    if target.exists():
        shutil.rmtree(target)
    count = 0
    for assignment in sorted(p.parent for p in ROOT.glob("assignments/*/submissions")):
        for sample in chosen(assignment, which):
            shutil.copytree(sample, target / sample.name / assignment.name)
            count += 1
    print(f"{target}: {count} submissions of {len(list(target.iterdir()))} students")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[2] not in ("some", "all"):
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2])
