"""The leak scan: whether anything that must stay behind stands in what students get.

    secrets_of   what must not be seen: lines of solutions and hidden tests, titles, thresholds
                 and seeds of hidden checks, our own markers
    scan         every text in every file of a release (`texts`), looked through for them

Theory. What strips a master is one piece of code, and what looks for leaks must not trust it:
it takes its lines from between the markers by itself. A leak need not be verbatim either: before
anything is compared, white space is taken out, quotes and capitals are levelled, and the comment
behind a line of code is left off; a number is compared by its value, as a share or in percent.

Nothing is shown by chance. A hidden line that the handout states on purpose stands in `shown:` of
the assignment.yml, and so does a number of a hidden check that no public check states. Lines
shorter than `TELLING` may stand anywhere by chance, and imports and bare calls (`model.train()`)
are in every handout and every picture.
"""

from __future__ import annotations

import io
import re
import tokenize
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..checks.accuracy import from_accuracies
from ..course.config import Assignment
from ..errors import ConfigError, SourceError
from ..model import Visibility
from .master import Cell
from .texts import texts_of

TELLING = 12
"""A hidden line shorter than this (`return x`) may stand anywhere by chance."""
MARKERS = ("### BEGIN", "### END", "autograder.live")
LISTED = "take it out of what is shown, or list it under `shown:` in assignment.yml"
_IDIOM = re.compile(r"(\w+\.)+\w+\(\)|with (\w+\.)+\w+\(\):|import .*|from [\w.]+ import .*")
_NUMBER = re.compile(
    r"(?<![\w.])(?P<value>(?:\d+(?:\.\d+)?|\.\d+)(?:e[-+]?\d+)?)(?!\w|\.\d)"
    r"(?P<percent>\s*(?:%|percent|per cent))?",
    re.IGNORECASE,
)
_GROUPED = re.compile(r"(?<=\d)[_,](?=\d{3}(?!\d))")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")


@dataclass(frozen=True)
class Secret:
    """What must not be seen: its rule in words, the text, and the master's line it comes from.

    `number` is its value where it is one, and is then what is looked for.
    """

    rule: str
    text: str
    line: int | None = None
    remedy: str = "take it out of what is shown"
    number: float | None = None


@dataclass(frozen=True)
class Leak:
    """A secret found: in which file of the release, and in which part of it."""

    file: str
    part: str
    secret: Secret

    @property
    def message(self) -> str:
        """What is wrong, in words."""
        place = f"{self.file} ({self.part})" if self.part else self.file
        return f"{self.secret.rule} would stand in {place}: {self.secret.text}"


class LeakError(SourceError):
    """A release would show what must stay behind; `leaks` are all that was found."""

    def __init__(self, where: str, leaks: Sequence[Leak]) -> None:
        first, more = leaks[0], len(leaks) - 1
        what = first.message + (f"; and {more} more" if more else "")
        super().__init__(what, where=where, line=first.secret.line, remedy=first.secret.remedy)
        self.leaks = tuple(leaks)


def _folded(text: str) -> str:
    """Text as it is compared: no white space or unseen characters, one kind of quote, no case."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = "".join(c for c in text if unicodedata.category(c) != "Cf")
    return "".join(text.split()).replace('"', "'").casefold()


def _code(line: str) -> str:
    """A line without the comment behind it; all of it where it is nothing but a comment."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(line.strip()).readline):
            if token.type == tokenize.COMMENT:
                return line.strip()[: token.start[1]].strip() or line.strip()
    except (tokenize.TokenError, SyntaxError):  # part of a statement: its comment came first
        return line.strip()
    return line.strip()


def _hidden_lines(cells: Sequence[Cell]) -> dict[str, int]:
    """Telling lines between markers, with their line in the master."""
    hidden: dict[str, int] = {}
    for cell in cells:
        inside = False
        for at, line in enumerate(cell.source.splitlines(), start=cell.line):
            if "### BEGIN" in line or "### END" in line:
                inside = "### BEGIN" in line
            elif inside:
                code = _code(line)
                if len(code) >= TELLING and not _IDIOM.fullmatch(code):
                    hidden.setdefault(code, at)
    return hidden


def _numbers(value: Any) -> Iterator[float]:
    """Every number in a tree of plain data, truth values apart."""
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _numbers(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _numbers(one)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)


def _telling(number: float) -> bool:
    """Whether a number hardly occurs by chance: three decimals, or five digits."""
    return round(number, 2) != number or abs(number) >= 10_000


def secrets_of(
    assignment: Assignment, cells: Sequence[Cell], thresholds: Iterable[float] = ()
) -> list[Secret]:
    """All that must not be seen of an assignment.

    `cells` are the master's; `thresholds` are shares in [0, 1] that its calibrations give.
    Raises `ConfigError` for an entry of `shown:` that stands for nothing hidden.
    """
    hidden = [c for c in assignment.checks if c.visibility is Visibility.HIDDEN]
    public = [c for c in assignment.checks if c.visibility is Visibility.PUBLIC]
    found = [Secret("a marker", text, None, "mark it hidden") for text in MARKERS]
    lines = _hidden_lines(cells)
    found += [Secret("a hidden line", text, at, LISTED) for text, at in lines.items()]
    shown = _folded("\n".join(c.source for c in cells) + " ".join(c.title for c in public))
    found += [
        Secret("the title of a hidden check", c.title, None, "reword it in assignment.yml")
        for c in hidden
        if len(c.title) >= TELLING and _folded(c.title) not in shown
    ]
    if assignment.seed:
        text, number = str(assignment.seed), float(assignment.seed)
        found.append(Secret("the assignment's secret seed", text, None, "change it", number))
    if assignment.secret:
        found.append(Secret("the assignment's secret", assignment.secret, None, "change it"))
    closed = set(_numbers([c.options for c in hidden])) | set(thresholds)
    found += [
        Secret("a threshold", f"{n:.12g}", None, LISTED, n)
        for n in sorted(closed - set(_numbers([c.options for c in public])))
        if _telling(n)
    ]
    return _without(found, assignment)


def _without(found: Sequence[Secret], assignment: Assignment) -> list[Secret]:
    """The secrets that `shown:` does not list. Raises `ConfigError` for what is none of them."""
    listed = {s if isinstance(s, str) else float(s): s for s in assignment.shown}
    open_lines = {_folded(s) for s in listed if isinstance(s, str)}
    left = [
        s
        for s in found
        if s.remedy != LISTED
        or (_folded(s.text) not in open_lines if s.number is None else s.number not in listed)
    ]
    gone = [s for s in found if s not in left]
    known = {_folded(s.text) if s.number is None else s.number for s in gone}
    for key, entry in listed.items():
        if (_folded(key) if isinstance(key, str) else key) not in known:
            raise ConfigError(
                f"shown: '{entry}' is no hidden line and no number of a hidden check",
                where=assignment.id,
                remedy="take it out of assignment.yml",
            )
    return left


def scan(files: Mapping[str, bytes], secrets: Sequence[Secret]) -> list[Leak]:
    """Every secret in every file, by file; a secret once for each file."""
    numbers = {s.number: s for s in secrets if s.number is not None}
    words = [(s, _folded(s.text)) for s in secrets if s.number is None]
    leaks: dict[tuple[str, Secret], Leak] = {}
    for name in sorted(files):
        for part, text in texts_of(name, files[name]):
            folded = _folded(text)
            found = [s for s, wanted in words if wanted in folded]
            if numbers:
                found += [numbers[n] for n in _stated(text) if n in numbers]
            for secret in found:
                leaks.setdefault((name, secret), Leak(name, part, secret))
    return list(leaks.values())


def refuse_leaks(where: Path, files: Mapping[str, bytes], secrets: Sequence[Secret]) -> None:
    """Raise `LeakError` where a secret of the master at `where` stands in a file for students."""
    leaks = scan(files, secrets)
    if leaks:
        raise LeakError(str(where), leaks)


def thresholds_of(calibration: bytes) -> list[float]:
    """The accuracies of a calibration.yml and the thresholds and floors that follow from them, in
    [0, 1]; none of an empty one.
    """
    table = yaml.safe_load(calibration) or {}
    found: list[float] = []
    for row in table.values():
        measured = from_accuracies([float(a) for a in row["accuracies"]])
        found += [*measured.accuracies, measured.threshold, measured.floor]
    return found


def _stated(text: str) -> Iterator[float]:
    """Every number in a text, its thousands and decimals marked in any of the usual ways; one in
    percent as a share too.
    """
    for variant in {text, _GROUPED.sub("", text), _DECIMAL_COMMA.sub(".", text)}:
        for match in _NUMBER.finditer(variant):
            value = float(match["value"])
            yield value
            if match["percent"]:
                yield round(value / 100, 6)
