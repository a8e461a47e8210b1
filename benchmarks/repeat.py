"""Whether a grade depends on the day: the same submissions, graded over and over.

    python -m benchmarks.repeat [-a 04-training-loop] [--submissions 10] [--times 100] [--jobs 2]

Takes sample submissions of the assignment, evenly over the list and without those that wait for
a limit, grades each of them `times` times in a box of its own, and prints how many different
verdicts each one got: status and score of every check, with the names of its bugs and the
message. The exit status is 1 where a submission got more than one.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from autograder.course import samples
from autograder.grading.grader import Grader
from autograder.intake.collect import collect
from autograder.model import Result, Submission

ROOT = Path(__file__).resolve().parent.parent
Verdict = tuple[object, ...]


def verdict(result: Result) -> Verdict:
    """What a student is told, less the time it took."""
    told = ((c.id, str(c.status), c.score, c.bugs, c.message) for c in result.checks)
    return str(result.status), result.score, tuple(told)


def chosen(assignment: str, module: str, count: int) -> list[Submission]:
    """`count` samples of the assignment, from the first to the last of the list."""
    folders = samples.folders(ROOT / "assignments" / assignment / "submissions")
    calm = [f for f in folders if not f.name.startswith("hostile_")]
    every = [calm[i * len(calm) // count] for i in range(min(count, len(calm)))]
    found, refused = collect(every, assignment, {assignment: module})
    assert not refused, refused
    return found


def main() -> None:
    """Grade and count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-a", "--assignment", default="04-training-loop")
    parser.add_argument("--submissions", type=int, default=10)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    different = 0
    with Grader(ROOT) as grader, ThreadPoolExecutor(options.jobs) as pool:
        spec = grader.assignment(options.assignment)
        grader.world(spec.id)  # calibrates at first use
        for submission in chosen(spec.id, spec.module, options.submissions):
            again = [submission] * options.times
            told = Counter(verdict(g.result) for g in pool.map(grader.grade, again))
            (status, score, *_), _ = told.most_common(1)[0]
            print(f"{submission.student:42} {status} {score:g}   verdicts: {len(told)}", flush=True)
            different += len(told) > 1
    sys.exit(different > 0)


if __name__ == "__main__":
    main()
