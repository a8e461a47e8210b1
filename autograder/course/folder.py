"""A course as it lies in a folder: its settings, and its assignments with their limits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..errors import InputError
from ..model import Limits
from . import config
from .config import Assignment, Course


class CourseFolder:
    """The course at `root`, the folder with grading_config.yml.

    With `public`, only the public half of one assignment is known: what that public.yml states,
    and no grading_config.yml is needed. `validate` is given each assignment that is read, with its
    file, and raises `ConfigError` for what `config` cannot see, such as checks that do not exist.
    Raises `InputError` where there is neither.
    """

    def __init__(
        self,
        root: Path,
        public: Path | None,
        validate: Callable[[Assignment, Path], None],
    ) -> None:
        self.root = root.resolve()
        self._validate = validate
        self._read: set[str] = set()
        self.public = None if public is None else self._checked(public)
        there = (self.root / "grading_config.yml").is_file()
        self.settings: Course | None = config.course(self.root) if there else None
        if self.settings is None and self.public is None:
            raise InputError(
                "no grading_config.yml here", where=self.root, remedy="run in the course's folder"
            )

    def ids(self) -> list[str]:
        """The assignments that are there, in the course's order."""
        if self.public is not None:
            return [self.public.id]
        assert self.settings is not None
        return [i for i in self.settings.assignments if self.file(i).is_file()]

    def file(self, assignment: str) -> Path:
        """Where the hidden half of an assignment lies, or would."""
        return self.root / "assignments" / assignment / "assignment.yml"

    def assignment(self, assignment: str) -> Assignment:
        """One assignment, checked. Raises `InputError` for an unknown id."""
        if self.public is not None and self.public.id == assignment:
            return self.public
        if assignment not in self.ids():
            raise InputError(
                f"no assignment is called '{assignment}'", remedy=f"known: {', '.join(self.ids())}"
            )
        loaded = self._checked(self.file(assignment))
        if loaded.id != assignment:
            raise InputError(
                f"its id is '{loaded.id}'", where=self.file(assignment), remedy="name both alike"
            )
        return loaded

    def _checked(self, path: Path) -> Assignment:
        """An assignment as its file states it, looked through once. Raises `ConfigError`."""
        loaded = config.assignment(path)
        if loaded.id not in self._read:
            self._validate(loaded, path)
            self._read.add(loaded.id)
        return loaded

    def limits(self, assignment: Assignment) -> Limits:
        """Built-in limits, under the course's, under the assignment's."""
        return config.limits_for(assignment, self.settings)
