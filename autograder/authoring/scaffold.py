"""`autograder new`: a small working assignment, to be changed into the one that is wanted.

    source/<id>/<module>.py                      the master: text, tasks, solutions, tests
    assignments/<id>/assignment.yml              what is checked, for how much
    assignments/<id>/checks.py                   what only this assignment needs, where there is any
    assignments/<id>/submissions/correct_plain/  a right solution in another style
    assignments/<id>/submissions/bug_…/          a wrong one, with its row in expected.yml

It passes the release gate as it is. Nothing that is there is written over.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..course import config
from ..errors import InputError
from ..results.files import write_whole

KINDS = {
    "functions": "functions with arguments, each called on secret inputs",
    "program": "a whole program with named globals and functions",
    "script": "a bare script of which only the network has a name",
}
TEMPLATES = Path(__file__).parent / "templates"
CONFIG = "grading_config.yml"
NEW_COURSE = """\
# The course: which assignments, in which order, under which rules. `autograder doctor` checks it.
course: A new course

assignments: []
"""


def module_of(name: str) -> str:
    """The name of an assignment's program: its id without leading numbers, as Python has names."""
    found = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return re.sub(r"^[0-9_]+", "", found) or f"assignment_{found}"


def files(name: str, kind: str) -> dict[str, str]:
    """The files of a new assignment by their paths in the course."""
    module = module_of(name)
    title = module.replace("_", " ").capitalize()
    words = {
        "id": name,
        "module": module,
        "title": title,
        "seed": 10_000 + secrets.randbelow(90_000),
        "secret": secrets.token_hex(16),
    }
    loader = FileSystemLoader(TEMPLATES / kind)
    made = Environment(loader=loader, keep_trailing_newline=True, undefined=StrictUndefined)  # noqa: S701 - no HTML
    rows = yaml.safe_load(made.get_template("expected.yml.j2").render(words))
    (bug,) = rows
    hidden = f"assignments/{name}"
    places = {
        "source.py.j2": f"source/{name}/{module}.py",
        "assignment.yml.j2": f"{hidden}/assignment.yml",
        "checks.py.j2": f"{hidden}/checks.py",
        "expected.yml.j2": f"{hidden}/submissions/expected.yml",
        "correct.py.j2": f"{hidden}/submissions/correct_plain/{module}.py",
        "bug.py.j2": f"{hidden}/submissions/{bug}/{module}.py",
    }
    there = set(made.list_templates())
    return {
        path: made.get_template(template).render(words)
        for template, path in places.items()
        if template in there
    }


def create(root: Path, name: str, kind: str) -> list[Path]:
    """Write a new assignment into the course at `root`, which becomes one where it is none.

    Returns what was written. Raises `InputError` where something of it is there already, or `name`
    or `kind` cannot be used.
    """
    if not re.fullmatch(config.ID_PATTERN, name):
        raise InputError(
            f"'{name}' is no id of an assignment",
            remedy="use small letters, digits, - and _, as in 11-first-steps",
        )
    if kind not in KINDS:
        near = config.did_you_mean(kind, KINDS).removeprefix("; ")
        remedy = near or f"one of: {', '.join(KINDS)}"
        raise InputError(f"--kind '{kind}' is not known", remedy=remedy)
    made = files(name, kind)
    for path in made:
        if (root / path).exists():
            raise InputError("is there already", where=root / path, remedy="choose another id")
    settings = root / CONFIG
    if not settings.is_file():
        write_whole(settings, NEW_COURSE.encode())
    listed = _listed(settings, name)
    for path, text in made.items():
        write_whole(root / path, text.encode())
    write_whole(settings, listed.encode())
    config.course.cache_clear()
    return [settings, *(root / path for path in made)]


def _listed(path: Path, name: str) -> str:
    """The text of the course's configuration with one more assignment; its comments stay.

    Raises `InputError` where its list is not written in one of the usual ways.
    """
    text = path.read_text(encoding="utf-8")
    course = config.course(path.parent)
    if name in course.assignments:
        return text
    inline = re.search(r"^assignments:\s*\[([^\]]*)\]", text, re.MULTILINE)
    if inline:
        inside = inline[1].rstrip().rstrip(",")
        joined = f"{inside}, {name}" if inside.strip() else name
        return f"{text[: inline.start(1)]}{joined}{text[inline.end(1) :]}"
    block = re.search(
        r"^assignments:[^\n]*\n((?:[ \t]*(?:-|#)[^\n]*\n|[ \t]*\n)+)", text, re.MULTILINE
    )
    items = list(re.finditer(r"^([ \t]*)- .*$", block[1], re.MULTILINE)) if block else []
    if not block or not items:
        raise InputError(
            "has its assignments in a form that cannot be added to",
            where=path,
            remedy=f"add {name} to `assignments:` by hand, and run this again",
        )
    at = block.start(1) + items[-1].end()
    return f"{text[:at]}\n{items[-1][1]}- {name}{text[at:]}"
