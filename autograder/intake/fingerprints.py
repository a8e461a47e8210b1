"""How alike programs are by structure: winnowed fingerprints of their tokens.

Theory. A program is cut into tokens and these are made plain: names and attributes that it binds
itself become one letter, so do strings and numbers; comments, docstrings, annotations, imports and
brackets that only group are dropped. What is left is the shape of the statements, and the names of
other people's interfaces, which no copyist can change. Every run of `RUN` tokens inside a function
is hashed, and of each `WINDOW` runs the least hash is kept, so that any passage of
`RUN + WINDOW - 1` equal tokens leaves a fingerprint, wherever it stands (S. Schleimer,
D. Wilkerson, A. Aiken: Winnowing, SIGMOD 2003). Neither other names nor another order of functions
hides a copy. Runs that a handout or a given file holds are left out, since everybody has those; and
so are runs of more than `COMMON` works, as in MOSS (its option -m): what so many wrote comes from
the lecture.

Likeness is the share of the shorter work's fingerprints that the other one holds.

`LISTED` was measured on the course's samples and on 112 more programs that others wrote from the
handouts of nine assignments. Of 1,636 pairs of correct programs by unlike writers none reaches
0.57. Of 160 programs that were given other names, another order of functions, docstrings, and a
print in each function, none falls below 0.78; without the prints none below 0.81.

Why not a library. compare50 (1.2.15) wants attrs below 21 and termcolor below 2, which cannot be
installed beside what constraints.txt pins, and is under the GPL. copydetect (0.5.0, of March 2024,
the last) takes Python's `hash` of strings, which differs from run to run, does not tell a student's
own names from an interface's, and its pages need scripts. Python's own parser is not used, because
students' text may bring it down (`cell_names`).
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import combinations
from typing import NamedTuple

from .cell_names import TOKEN

RUN = 12
"""Tokens of a hashed run; a line of PyTorch has about ten."""
WINDOW = 5
COMMON = 10
LISTED = 0.7
LEAST = 40
"""Fingerprints below which a work is too short to tell: the shortest correct sample has 77."""
TOKENS_CAP = 20_000
"""As many tokens of a program are looked at; a long one has three thousand."""
_KEYWORDS = frozenset(keyword.kwlist)
_KEPT = _KEYWORDS | frozenset(dir(builtins)) | {"self"}
_STARTS = frozenset(("def", "async", "class", "@"))
_BINDS = frozenset(("def", "class", "as", "global", "nonlocal"))


class Token(NamedTuple):
    """A token made plain, and where it stands in the text."""

    plain: str
    start: int
    end: int


class _Raw(NamedTuple):
    """A token as it stands; `depth` is the number of brackets that are open before it."""

    kind: str
    text: str
    start: int
    end: int
    depth: int


class _Line(NamedTuple):
    """A statement, with the column that it begins in."""

    column: int
    tokens: list[_Raw]

    @property
    def first(self) -> str:
        return self.tokens[0].text


def _lines(text: str) -> Iterator[_Line]:
    """The statements of a text, as far as line ends tell."""
    at, depth, begin, count = 0, 0, 0, 0
    line: list[_Raw] = []
    while at < len(text) and count < TOKENS_CAP:
        found = TOKEN.match(text, at)
        assert found is not None, "every character is a token"
        kind, word, start, at = str(found.lastgroup), found.group(), at, found.end()
        if kind == "line" and not depth:
            if line:
                yield _Line(line[0].start - begin, line)
            line, begin = [], at
        elif kind not in ("gap", "line"):
            count += 1
            line.append(_Raw(kind, word, start, at, depth))
            depth = max(0, depth + (word in "([{") - (word in ")]}"))
    if line:
        yield _Line(line[0].start - begin, line)


def _imported(line: _Line, known: dict[str, str]) -> None:
    """Note under which names an import binds what: `np` is numpy, whatever it is called here."""
    words = [t.text for t in line.tokens if t.kind == "name"]
    for i, word in enumerate(words):
        if word == "as" and 0 < i < len(words) - 1:
            known[words[i + 1]] = words[i - 1]


def _shape(tokens: list[_Raw]) -> list[_Raw]:
    """A statement without annotations, brackets that only group, and commas before a bracket."""
    kept: list[_Raw] = []
    grouping: list[bool] = []
    words = [t.text for t in tokens[:2]]
    header = "def" in words and words[0] in ("def", "async")
    annotated = len(words) > 1 and words[1] == ":" and words[0] not in _KEPT
    skip = False
    for i, t in enumerate(tokens):
        if (header and ((t.depth == 1 and t.text == ":") or (not t.depth and t.text == "->"))) or (
            annotated and i == 1
        ):
            skip = True
        elif skip and (
            (header and t.depth == 1 and t.text in (",", "=", ")"))
            or (not t.depth and t.text == (":" if header else "="))
        ):
            skip = False
        if skip:
            continue
        before = kept[-1] if kept else None
        if t.text == "(":
            call = before is not None and (
                before.text in (")", "]")
                or (before.kind == "name" and before.text not in _KEYWORDS)
            )
            grouping.append(not call)
            if not call:
                continue
        elif t.text == ")":
            if before is not None and before.text == ",":
                kept.pop()
            if grouping and grouping.pop():
                continue
        if before is not None and before.text[0].isdigit():  # 1.5e-3 is cut into five
            last = tokens[i - 1].text
            exponent = last[0].isdigit() and last[-1] in "eE" and t.text in ("+", "-")
            if t.text == "." or t.text[0].isdigit() or exponent:
                kept[-1] = before._replace(end=t.end)
                continue
        kept.append(t)
    return kept


def _own(lines: Iterable[_Line]) -> tuple[set[str], set[str]]:
    """The names and the attributes that a program binds."""
    names: set[str] = set()
    attributes: set[str] = set()
    for line in lines:
        tokens = line.tokens
        target = max((i for i, t in enumerate(tokens) if t.text == "=" and not t.depth), default=-1)
        loop = header = False
        for i, t in enumerate(tokens):
            before = tokens[i - 1].text if i else ""
            after = tokens[i + 1].text if i + 1 < len(tokens) else ""
            loop = t.text in ("for", "lambda") or (loop and t.text not in ("in", ":"))
            header = header or t.text == "def"
            if t.kind != "name" or t.text in _KEPT:
                continue
            if before == ".":
                if i < target and after not in ("(", ".", "["):
                    attributes.add(t.text)
            elif (
                before in _BINDS
                or after in ("=", ":=")
                or i < target
                or loop
                or (header and t.depth == 1)
            ):
                names.add(t.text)
                if before == "def":
                    attributes.add(t.text)
    return names, attributes


def passages(text: str) -> list[list[Token]]:
    """The functions of a program, and what stands between them, as tokens made plain.

    Linear in the text; never raises.
    """
    known: dict[str, str] = {}
    lines = []
    for line in _lines(text):
        if line.first in ("import", "from"):
            _imported(line, known)
        elif not all(t.kind == "string" for t in line.tokens):
            shape = _shape(line.tokens)
            if shape:
                lines.append(_Line(line.column, shape))
    names, attributes = _own(lines)
    found: list[list[Token]] = []
    deeper = True
    for line in lines:
        if line.first in _STARTS or (deeper and not line.column) or not found:
            found.append([])
        deeper = line.column > 0
        before = ""
        for t in line.tokens:
            plain = known.get(t.text, t.text)
            if t.kind == "string":
                plain = "S"
            elif t.text[0].isdigit():
                plain = "0"
            elif t.kind == "name" and (t.text in (attributes if before == "." else names)):
                plain = "N"
            found[-1].append(Token(plain, t.start, t.end))
            before = t.text
    return found


def hashes(passage: list[Token]) -> list[int]:
    """The hashes of a passage's runs, in order; of a short one a single run."""
    words = [t.plain.encode() for t in passage]
    return [
        int.from_bytes(blake2b(b"\0".join(words[i : i + RUN]), digest_size=8).digest(), "big")
        for i in range(max(1, len(words) - RUN + 1))
    ]


def runs(text: str) -> frozenset[int]:
    """The hashes of all runs of a text, winnowed or not: what a handout takes from everybody."""
    return frozenset(h for passage in passages(text) for h in hashes(passage))


@dataclass(frozen=True)
class Work:
    """One work's fingerprints: of its text, which runs of tokens stand where (in characters)."""

    text: str
    places: Mapping[int, tuple[tuple[int, int], ...]]
    """Where each run stands, by its hash."""
    prints: frozenset[int]
    """The hashes that winnowing keeps."""

    @classmethod
    def of(cls, text: str) -> Work:
        """The fingerprints of a program's text."""
        places: dict[int, list[tuple[int, int]]] = {}
        prints: set[int] = set()
        for passage in passages(text):
            found = hashes(passage)
            for i, value in enumerate(found):
                last = passage[min(i + RUN, len(passage)) - 1]
                places.setdefault(value, []).append((passage[i].start, last.end))
            last_window = max(1, len(found) - WINDOW + 1)
            prints |= {min(found[i : i + WINDOW]) for i in range(last_window)}
        return cls(text, {h: tuple(spans) for h, spans in places.items()}, frozenset(prints))

    def marked(self, runs: Collection[int]) -> list[tuple[int, int]]:
        """Where any of these runs stands, in order, what touches as one piece."""
        found: list[tuple[int, int]] = []
        for start, end in sorted(span for h in runs for span in self.places.get(h, ())):
            if found and start <= found[-1][1]:
                found[-1] = found[-1][0], max(end, found[-1][1])
            else:
                found.append((start, end))
        return found

    def pieces(self, shared: Collection[int], given: Collection[int]) -> list[tuple[str, str]]:
        """The text in pieces, each with what it is: `shared`, `given` or "" for neither."""
        kinds = bytearray(len(self.text))
        for kind, runs in ((1, given), (2, shared)):
            for start, end in self.marked(runs):
                kinds[start:end] = bytes([kind]) * (end - start)
        pieces = []
        for match in re.finditer(rb"(.)\1*", bytes(kinds), re.DOTALL):
            text = self.text[match.start() : match.end()]
            pieces.append((("", "given", "shared")[match[1][0]], text))
        return pieces


@dataclass(frozen=True)
class Pair:
    """Two works that are alike: by name, how much of the shorter one's fingerprints (0 to 1) and
    of each work's the other one holds, how many those are, and which runs they share.
    """

    names: tuple[str, str]
    likeness: float
    shares: tuple[float, float]
    shared: int
    runs: frozenset[int]


def alike(
    works: Mapping[str, Work], given: Collection[int] = (), listed: float = LISTED
) -> list[Pair]:
    """The pairs of works that are at least `listed` alike, the most alike first.

    `given` are the runs of what everybody was handed.
    """
    often = Counter(h for work in works.values() for h in work.places)
    left_out = {h for h, n in often.items() if n > COMMON} | set(given)
    prints = {name: work.prints - left_out for name, work in sorted(works.items())}
    told = {name: own for name, own in prints.items() if len(own) >= LEAST}
    found = []
    for (one, a), (other, b) in combinations(told.items(), 2):
        shared = len(a & b)
        if shared >= listed * min(len(a), len(b)):
            runs = (works[one].places.keys() & works[other].places.keys()) - left_out
            shares = shared / len(a), shared / len(b)
            found.append(Pair((one, other), max(shares), shares, shared, frozenset(runs)))
    return sorted(found, key=lambda p: (-p.likeness, -p.shared, p.names))
