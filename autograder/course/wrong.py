"""Programs that are wrong on purpose, made of the reference solution by edits of its text.

`assignments/<id>/wrong.yml` says them:

    programs:
      rate_x10:
        says: ten times the rate
        edits:
          - {old: lr=1e-3, new: lr=1e-2}

Each edit replaces `old` by `new`, exactly and in order; `old` has to be there `times` times (once,
where that is left out). So a reference that is rewritten never leaves a wrong program behind that
is none: the edit is told. `autograder calibrate` trains them, to see what a threshold of accuracy
can tell.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from ..errors import ConfigError
from .config import ID_PATTERN, Strict, line_of, load

FILE = "wrong.yml"


class Edit(Strict):
    """One replacement: `old` stands in the text exactly `times` times."""

    old: str = Field(min_length=1)
    new: str = ""
    times: int = Field(1, ge=1)


class Wrong(Strict):
    """One wrong program: what is wrong with it, in words, and how it is made."""

    says: str = Field(min_length=1)
    edits: tuple[Edit, ...] = Field(min_length=1)


class WrongPrograms(Strict):
    """A whole wrong.yml."""

    programs: dict[Annotated[str, StringConstraints(pattern=ID_PATTERN)], Wrong]


def wrong_programs(folder: Path, reference: str) -> Mapping[str, tuple[str, str]]:
    """What is wrong with each wrong program of an assignment's folder, and its text, by name.

    `reference` is the text of the solution. Empty where there is no wrong.yml. Raises `ConfigError`
    for a file that is none, an edit that does not apply and a text that is no Python.
    """
    path = folder / FILE
    if not path.is_file():
        return {}
    listed = load(path, WrongPrograms).programs
    return {name: (one.says, _edited(path, name, one, reference)) for name, one in listed.items()}


def _edited(path: Path, name: str, wrong: Wrong, text: str) -> str:
    before = text
    for i, edit in enumerate(wrong.edits):
        found = text.count(edit.old)
        if found != edit.times:
            first = edit.old.strip().partition("\n")[0]
            raise ConfigError(
                f"'{name}': '{first}' stands {found} times in the reference, not {edit.times}",
                where=path,
                line=line_of(path, ("programs", name, "edits", i)),
                remedy="correct its `old:` or `times:`",
            )
        text = text.replace(edit.old, edit.new)
    what = "is the reference" if text == before else ""
    try:
        ast.parse(text)
    except SyntaxError as e:
        what = f"is no Python: {e.msg}"
    if what:
        line = line_of(path, ("programs", name))
        raise ConfigError(f"'{name}' {what}", where=path, line=line, remedy="correct its edits")
    return text
