"""Prints docs/course.md, the course on one page: python scripts/course_page.py > docs/course.md

Everything on it is read from where it stands: the assignments' own files, the front lines of their
handouts, and the catalogue of bugs. What an assignment builds on are the assignments that its line
"You should know" names by their numbers.
"""

from __future__ import annotations

import re
import runpy
from collections import defaultdict
from pathlib import Path

from autograder.authoring.build import front, task_titles
from autograder.authoring.master import Cell, master_path, read_master
from autograder.bugs import BUGS
from autograder.course import config
from autograder.course.config import Assignment
from autograder.model import Visibility

ROOT = Path(__file__).resolve().parent.parent
EXPLORE = runpy.run_path(str(ROOT / "scripts" / "explore_pages.py"))
HEAD = """\
<!-- Made by: python scripts/course_page.py > docs/course.md -->

# The course on one page

Deep learning is one loop of five beats, **zero, forward, loss, backward, step**, used again and
again. The course writes each beat by hand, puts them together, and measures honestly what comes
out.

![The five beats as a ring][beats]

[beats]: ../source/05-five-beats/img/five_beats.svg

An arrow leads from what one should know to what is built on it. Ten ideas have
[a page to play with](explore/index.html), and every bug has its place in [the zoo](zoo/index.html).
"""


def cells_of(spec: Assignment) -> tuple[Cell, ...]:
    """The cells of an assignment's master."""
    return read_master(master_path(ROOT / "source" / spec.id, spec))


def builds_on(lines: str, ids: list[str]) -> list[str]:
    """The assignments that a handout's line "You should know" names by their numbers."""
    known = re.search(r"\*\*You should know\*\*(.*?)(?=\n\*|\Z)", lines, re.DOTALL)
    numbers = re.findall(r"\b\d\d\b", known[1]) if known else []
    return [i for i in ids if i[:2] in numbers]


def tree(specs: list[Assignment]) -> str:
    """What depends on what, as a Mermaid drawing."""
    ids = [s.id for s in specs]
    lines = ["```mermaid", "graph LR"]
    lines += [f'  a{s.id[:2]}["{s.id[:2]} · {s.title}"]' for s in specs]
    for spec in specs:
        before = builds_on(front(cells_of(spec)), ids)
        lines += [f"  a{b[:2]} --> a{spec.id[:2]}" for b in before]
    return "\n".join([*lines, "```", ""])


def section(spec: Assignment) -> str:
    """One assignment: what it needs and gives, its tasks with their points, its bugs."""
    cells = cells_of(spec)
    titles = task_titles(cells)
    points: dict[tuple[int, str], float] = defaultdict(float)
    for check in spec.checks:
        kind = "hand" if check.use == "by_hand" else check.visibility
        points[check.task, "public" if kind is Visibility.PUBLIC else str(kind)] += check.points
    played = [
        f"[{made.title}](explore/{made.name}.html) (task {made.task})"
        for made in map(EXPLORE["source"], EXPLORE["ORDER"])
        if made.handout == spec.id
    ]
    tasks = sorted({task for task, _ in points})
    bugs = [f"[`{b.id}`](bugs.md#{b.id})" for b in BUGS.values() if b.assignment == spec.id]
    out = [f"## {spec.id[:2]} · [{spec.title}](../release/{spec.id}/README.md)", ""]
    out += [front(cells).rstrip("\n"), ""] if front(cells) else []
    out += [
        "| task | what | points | public | hidden | by hand |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    for task in tasks:
        parts = [points[task, kind] for kind in ("public", "hidden", "hand")]
        cols = " | ".join(f"{p:g}" if p else "" for p in parts)
        out.append(f"| {task} | {titles.get(task, '')} | {sum(parts):g} | {cols} |")
    if played:
        out += ["", f"To play with: {', '.join(played)}."]
    if bugs:
        out += ["", f"First met here: {', '.join(bugs)}."]
    return "\n".join([*out, ""])


def page() -> str:
    """docs/course.md, as Markdown."""
    ids = config.course(ROOT).assignments
    specs = [config.assignment(ROOT / "assignments" / i / "assignment.yml") for i in ids]
    return "\n".join([HEAD, tree(specs), *map(section, specs)])


if __name__ == "__main__":
    print(page(), end="")
