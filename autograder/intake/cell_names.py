"""Which names a notebook's cell binds, and which it needs, told without running or parsing it.

Theory. Students' text is hostile, and Python's own parser may be brought down by it (deep
nesting exhausts its stack), so outside the box it is only cut into tokens: by one regular
expression that matches at every place and never goes back, in time linear in the text. Tokens
make statements, statements have an indent, and that is enough to tell for each name

    binds   whether the cell binds it at its top level (def, class, import, =, for, with, …)
    needs   whether it is looked up at once, before the cell itself has bound it
    later   whether it is looked up at all, in a function's body or under a condition too

What cannot be told errs to one side: a name that might be bound counts as bound, a name that
might not be looked up at once is only `later`.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

TOKEN = re.compile(
    r"""
    (?P<gap>     [^\S\n]+ | \\\n | \#[^\n]* )
  | (?P<string>  (?:[rbfuRBFU]{1,2}(?=["']))?
                 (?: \"{3}(?:\\.|[^\\]|\\\Z)*?(?:\"{3}|\Z)
                   | '{3}(?:\\.|[^\\]|\\\Z)*?(?:'{3}|\Z)
                   | "(?:\\.|[^"\\\n])*"? | '(?:\\.|[^'\\\n])*'? ) )
  | (?P<name>    [^\W\d]\w* )
  | (?P<line>    \n )
  | (?P<op>      := | -> | ==|!=|<=|>= | (?:\*\*|//|>>|<<|[-+*/%@&|^])= | \d\w* | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_HOLE = re.compile(r"\{([^{}:!]*)")
_WORD = re.compile(r"(?<![\w.])[^\W\d]\w*")
_KEYWORDS = frozenset(keyword.kwlist)
_READY = frozenset((*dir(builtins), "__name__", "__file__", "__doc__", "display", "get_ipython"))
_DEFINES = frozenset(("import", "from", "def", "class", "async", "@", ""))
_MAYBE = frozenset(("if", "elif", "else", "while", "try", "except", "finally", "match", "case"))
_HEADERS = _MAYBE | {"for", "with", "def", "class", "async"}
_DEEP = 100  # more levels of indentation Python refuses
_OBSCURE = frozenset(("exec", "eval", "globals", "locals", "vars", "setattr"))
_LOADS = re.compile(r"%(run|load|pylab)")
_TIMED = re.compile(r"%time[^\S\n]+")
_PYTHON_CELL = re.compile(r"\s*%%(time|timeit|capture|prun)\b[^\n]*")


@dataclass(frozen=True)
class Names:
    """What a cell does with names; see the module's header.

    `obscure` says that it may bind more than can be seen (`import *`, `exec`, `%run`), `magic`
    that it is not plain Python (`!pip`, `%matplotlib`, `get_ipython()`), `quiet` that it only
    defines: imports, functions, classes and plain constants.
    """

    binds: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()
    defines: frozenset[str] = frozenset()
    """The functions and classes among `binds`."""
    obscure: bool = False
    magic: bool = False
    quiet: bool = True


class _Token(NamedTuple):
    kind: str
    text: str


@dataclass
class _Statement:
    indent: int
    tokens: list[_Token]

    @property
    def first(self) -> str:
        word = self.tokens[0].text
        return "def" if word == "async" and self.text(1) == "def" else word

    def text(self, i: int) -> str:
        return self.tokens[i].text if 0 <= i < len(self.tokens) else ""


def names(source: str) -> Names:
    """What a cell's text does with names. Never raises; linear in the text's length."""
    timed = _PYTHON_CELL.match(source)
    if source.lstrip().startswith("%%"):
        if timed is None:
            return Names(magic=True, quiet=False)  # a cell of another language
        source = source[timed.end() :]
    reader = _Reader(magic=timed is not None)
    for statement in _statements(source):
        reader.read(statement)
    return reader.found()


def _tokens(source: str) -> Iterator[tuple[int, int, _Token]]:
    """The tokens, each with the width of the gap and the number of open brackets before it.

    Line magics are one token each, but for the statement behind `%time`, which runs where it
    stands; the ends of lines inside brackets are left out.
    """
    at, width, depth, before = 0, 0, 0, "\n"
    while at < len(source):
        found = TOKEN.match(source, at)
        assert found is not None, "every character is a token"
        kind, text, start, at = str(found.lastgroup), found.group(), at, found.end()
        if kind == "gap":
            width = 0 if text[0] in "#\\" else len(text.expandtabs())
        if kind == "gap" or (kind == "line" and depth):
            continue
        if kind == "op" and text in "!%?" and before in "\n=" and not depth:
            timed = _TIMED.match(source, start)
            end = source.find("\n", at) if timed is None else timed.end()
            at = len(source) if end < 0 else end
            kind, text = "magic", source[start:at]
            if timed is not None:
                yield width, depth, _Token(kind, text)
                kind, text = "line", "\n"
        yield width, depth, _Token(kind, text)
        if kind == "op":
            depth = max(0, depth + (text in "([{") - (text in ")]}"))
        width, before = 0, text


def _statements(source: str) -> Iterator[_Statement]:
    """The statements; a header and a body on one line are two, the body one column deeper."""
    tokens: list[_Token] = []
    indent, inline, lambdas = 0, False, 0
    for width, depth, token in _tokens(source):
        text = token.text
        if token.kind == "line" or (token.kind == "op" and text == ";" and not depth):
            if tokens:
                yield _Statement(indent, tokens)
            inline = token.kind != "line"
            tokens, lambdas = [], 0
            continue
        if not tokens and not inline:
            indent = width
        tokens.append(token)
        lambdas += text == "lambda" and not depth
        if text == ":" and not depth and lambdas:
            lambdas -= 1
        elif text == ":" and not depth and tokens[0].text in _HEADERS:
            yield _Statement(indent, tokens)
            tokens, inline, indent = [], True, indent + 1
    if tokens:
        yield _Statement(indent, tokens)


class _Reader:
    """Gathers what the statements of one cell do with names."""

    def __init__(self, *, magic: bool) -> None:
        self.binds: set[str] = set()
        self.needs: set[str] = set()
        self.later: set[str] = set()
        self.defines: set[str] = set()
        self.obscure, self.magic, self.quiet = False, magic, not magic
        self.scopes: list[tuple[int, str, set[str]]] = []  # indent, kind, a class's own names

    def found(self) -> Names:
        ready = _READY | _KEYWORDS
        return Names(
            frozenset(self.binds),
            frozenset(self.needs - ready),
            frozenset((self.later | self.needs) - ready),
            frozenset(self.defines),
            self.obscure,
            self.magic,
            self.quiet,
        )

    def read(self, s: _Statement) -> None:
        while self.scopes and self.scopes[-1][0] >= s.indent:
            self.scopes.pop()
        kinds = {kind for _, kind, _ in self.scopes}
        if not self.scopes or kinds == {"maybe"}:
            self._plain(s)
        if any(t.kind == "magic" for t in s.tokens):
            self.magic = True
            self.obscure |= bool(_LOADS.match(s.tokens[-1].text))
        places = _places(s)
        binds = set(places.values())
        uses, perhaps = _uses(s, places)
        self.obscure |= "*" in binds or bool(uses & _OBSCURE)
        binds.discard("*")
        self.magic |= "get_ipython" in uses and not kinds & {"def", "maybe"}
        self.later |= perhaps
        own = next((names for _, kind, names in reversed(self.scopes) if kind == "class"), set())
        if "def" in kinds or "maybe" in kinds:
            self.later |= uses - own
        else:
            self.needs |= uses - self.binds - own
        if s.first == "global":
            self.binds |= binds
        elif "def" not in kinds and "class" in kinds:
            own |= binds
        elif "def" not in kinds:
            self.binds |= binds
            self.defines |= binds if s.first in ("def", "class") else set()
        if s.tokens[-1].text == ":" and len(self.scopes) < _DEEP:
            if s.first in ("def", "class"):
                self.scopes.append((s.indent, s.first, set()))
            elif s.first in _MAYBE:
                self.scopes.append((s.indent, "maybe", set()))

    def _plain(self, s: _Statement) -> None:
        """Note a statement at the top level that does more than define."""
        constant = any(t.text == "=" for t in s.tokens) and not any(t.text == "(" for t in s.tokens)
        if not (s.first in _DEFINES or s.tokens[0].kind == "string" or constant):
            self.quiet = False


def _imported(s: _Statement) -> dict[int, str]:
    """Where an import statement binds which name; `*` for all of a module's."""
    words = [t.text for t in s.tokens]
    found: dict[int, str] = {}
    start = 0
    for i in range(words.index("import") + 1 if "import" in words else len(words), len(words)):
        if words[i - 1] == "as":
            found.pop(start, None)
            found[i] = words[i]
        elif words[i - 1] in ("import", ",", "("):
            start = i
            found[i] = words[i]
    return {i: n for i, n in found.items() if n == "*" or s.tokens[i].kind == "name"}


def _places(s: _Statement) -> dict[int, str]:
    """The tokens at which a statement binds names, but for comprehensions' and lambdas' own."""
    if s.first in ("import", "from"):
        return _imported(s)
    if s.first in ("def", "class"):
        at = 2 if s.text(0) == "async" else 1
        return {at: s.text(at)}
    if s.first == "global":
        return {i: t.text for i, t in enumerate(s.tokens) if i and t.kind == "name"}
    last = max((i for i, depth in _levels(s) if not depth and s.text(i) == "="), default=-1)
    found, loop = {}, False
    for i, depth in _levels(s):
        kind, text = s.tokens[i]
        if not depth and text in ("for", "in"):
            loop = text == "for"
        if kind != "name" or text in _KEYWORDS:
            continue
        bare = s.text(i + 1) not in (".", "(", "[") and s.text(i - 1) != "."
        annotation = i > 1 and s.text(1) == ":"
        target = i < last and set(depth) <= {"group"} and not annotation
        if s.text(i + 1) == ":=" or s.text(i - 1) == "as" or (bare and (target or loop)):
            found[i] = text
    return found


def _levels(s: _Statement) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Each token's index, with the brackets it is in: `call` after a name or `)`, else `group`.

    Of more than ten brackets in one another only the outer ten are told, to stay linear.
    """
    inside: tuple[str, ...] = ()
    more = 0
    for i, (kind, text) in enumerate(s.tokens):
        if kind == "op" and text in ")]}":
            more, inside = (more - 1, inside) if more else (0, inside[:-1])
        yield i, inside
        if kind == "op" and text in "([{":
            before = s.tokens[i - 1] if i else _Token("op", "")
            named = before.kind == "name" and before.text not in _KEYWORDS
            called = named or before.kind == "string" or before.text in (")", "]")
            if len(inside) < 10:
                inside = (*inside, "call" if called else "group")
            else:
                more += 1


def _uses(s: _Statement, places: dict[int, str]) -> tuple[set[str], set[str]]:
    """The names a statement looks up at once, and those in lambdas, looked up later."""
    if s.first in ("import", "from", "global", "nonlocal"):
        return set(), set()
    own: set[str] = set()  # of comprehensions
    found: set[str] = set()
    later: set[str] = set()
    loop, into = False, found
    for i, depth in _levels(s):
        kind, text = s.tokens[i]
        if kind == "string" and "f" in text[:2].lower():
            into.update(w for hole in _HOLE.findall(text) for w in _WORD.findall(hole))
        if depth and text in ("for", "in"):
            loop = text == "for"
        if text == "lambda":
            into = later  # its own parameters too: that costs nothing
        if kind != "name" or text in _KEYWORDS or s.text(i - 1) == "." or i in places:
            continue
        if not i and s.text(1) == ":":
            continue  # `name: type`, which neither binds nor looks up the name
        parameter = s.first == "def" and len(depth) == 1 and s.text(i - 1) in ("(", ",", "*")
        if loop:
            own.add(text)
        elif not parameter and not ("call" in depth and s.text(i + 1) == "="):
            into.add(text)
    return found - own, later
