"""A student's program: loaded as Python or a notebook would load it, and then at a probe's hand.

Theory. A script runs as `__main__`, top to bottom, and what raises ends it. A notebook's
code cells run one by one in IPython's own shell, and a cell that raises is recorded and the
next one runs, as a student at the keyboard would. What a machine without a person cannot
give is tamed instead of failing (`tame`), modules that are not installed have stand-ins where only
a picture or a log hangs on them (`absent`), and text that is no Python is told by its characters
(`syntax`).

Probes reach the program through `Program`: by `get` for a name the handout asks for, by
`rebind` to put secret objects in the place of its globals, and, before loading, by
`on_definition` to wrap a function the moment it is defined.
"""

from __future__ import annotations

import ast
import builtins
import linecache
import os
import re
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any

from . import absent, syntax
from .exceptions import MissingName, StopProgram
from .tame import tame

Wrap = Callable[[Any], Any]
MESSAGE_CAP = 2_000
TRACEBACK_CAP = 8_000
SYNTAX = ("SyntaxError", "IndentationError", "TabError")
_HERE = os.path.dirname(os.path.abspath(__file__))
_PLAIN = (bool, int, float, complex, str, bytes, tuple, frozenset, type(None))


def describe(error: BaseException, files: dict[str, int | None]) -> dict[str, Any]:
    """An exception as plain data: type, message, line and cell in the student's own code.

    `files` maps the file names of the student's code to the index of the cell (None for a
    script); frames of other files are left out of the traceback unless they are last.
    """
    line: int | None = None
    cell: int | None = None
    shown: list[traceback.FrameSummary] = []
    frames = traceback.extract_tb(error.__traceback__)
    for i, frame in enumerate(frames):
        if frame.filename in files:
            line, cell = frame.lineno, files[frame.filename]
            shown.append(frame)
        elif i == len(frames) - 1 and os.path.dirname(frame.filename) != _HERE:
            shown.append(frame)
    if isinstance(error, SyntaxError) and error.filename in files:
        line, cell = error.lineno, files[error.filename]
    try:
        message = _message(error, files)
    except Exception as broken:  # a hostile __str__ must not end the report
        message = f"(its message cannot be shown: {type(broken).__name__})"
    text = "".join(traceback.format_list(shown))
    return {
        "type": type(error).__name__[:200],
        "message": message[:MESSAGE_CAP],
        "line": line,
        "cell": cell,
        "traceback": text[-TRACEBACK_CAP:],
    }


def _place(error: dict[str, Any]) -> str:
    line = f" at line {error['line']}" if error["line"] else ""
    return line + (f" of code cell {error['cell'] + 1}" if error["cell"] is not None else "")


def _message(error: BaseException, files: dict[str, int | None]) -> str:
    """An exception's message, with what a reader cannot see in the code it speaks of."""
    if isinstance(error, SyntaxError):
        said = syntax.explain(error)
        name = error.filename or ""
        module = name.startswith(os.getcwd() + os.sep) and name not in files
        return f"in {os.path.relpath(name)}, line {error.lineno}: {said}" if module else said
    said = str(error)
    if isinstance(error, NameError) and error.name:
        strange = syntax.strangers(error.name)
        return f"{said} ({strange})" if strange else said
    return said


def _failing(code: object) -> bool:
    """Whether an exit status says that something went wrong: a number but zero. A program that ends
    in `sys.exit(main())` or with a word says nothing of the kind.
    """
    return isinstance(code, int) and not isinstance(code, bool) and code != 0


class _Definitions(ast.NodeTransformer):
    """Inserts `name = __five_beats_defined__("name", name)` after each top-level binding of a
    watched name. Function bodies are left alone.
    """

    def __init__(self, names: set[str]) -> None:
        self.names = names

    def _call(self, source: str, near: ast.stmt) -> ast.stmt:
        node = ast.parse(source).body[0]
        for child in ast.walk(node):
            ast.copy_location(child, near)
        return node

    def _binding(self, node: ast.stmt, names: list[str]) -> ast.stmt | list[ast.stmt]:
        watched = [n for n in names if n in self.names]
        return [
            node,
            *(self._call(f"{n} = __five_beats_defined__({n!r}, {n})", node) for n in watched),
        ]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        return self._binding(node, [node.name])

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> Any:
        return self._binding(node, [node.name])

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        return self._binding(node, [node.name])

    def visit_Assign(self, node: ast.Assign) -> Any:
        parts = (part for target in node.targets for part in ast.walk(target))
        stored = (p for p in parts if isinstance(p, ast.Name) and isinstance(p.ctx, ast.Store))
        return self._binding(node, [p.id for p in stored])

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        bound = isinstance(node.target, ast.Name) and node.value is not None
        return self._binding(node, [node.target.id] if bound else [])  # type: ignore[union-attr]

    def visit_Expr(self, node: ast.Expr) -> Any:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> Any:
        return node


class Program:
    """One submission's program in this process.

    `namespace` is the globals of its `__main__`; `errors` what its cells raised while
    loading (a script is one cell); `argv` a script's arguments; `loaded` whether `load` has
    run; `report` a dictionary that hooks may fill and that goes out with the load report
    (JSON-able, small).
    """

    def __init__(self, kind: str, main: str, cells: list[str]) -> None:
        self.kind = kind
        self.main = main
        self.cells = cells
        self.errors: list[dict[str, Any]] = []
        self.argv: list[str] = []
        self.loaded = False
        self.stopped = False
        self.report: dict[str, Any] = {}
        self.module = types.ModuleType("__main__")
        self.module.__dict__["__builtins__"] = builtins
        if kind == "script":
            self.module.__file__ = main
        self.namespace: dict[str, Any] = self.module.__dict__
        self.files: dict[str, int | None] = {}
        self._wraps: dict[str, list[Wrap]] = {}
        self._ended: dict[str, Any] | None = None
        """The first place where the program ended itself, well."""

    def on_definition(self, name: str, wrap: Wrap) -> None:
        """Before `load`: when a top-level `def`, `class` or assignment has bound `name`,
        `namespace[name]` becomes `wrap(what was bound)`.
        """
        self._wraps.setdefault(name, []).append(wrap)

    def get(self, name: str) -> Any:
        """The object a global name is bound to; raises `MissingName` if there is none, and
        `AbsentModule` where it is one that only an absent module could make.
        """
        if name in self.namespace:
            return absent.real(self.namespace[name], name)
        why, cause = "", None
        for other in list(self.namespace):
            if not other.isascii() and syntax.plain(other) == name:
                why = f", but '{other}' is ({syntax.strangers(other)})"
        if (self.errors or self._ended) and not why:
            first = self.errors[0] if self.errors else self._ended or {}
            why = f"; the program stopped{_place(first)}: {first['type']}"
            why += f": {first['message'][:400]}" if first["message"] else ""
            unread = [e for e in self.errors if e["type"] in SYNTAX and self._holds(e, name)]
            cause = unread[0] if unread else None
        raise MissingName(f"'{name}' is not defined{why}", cause)

    def _holds(self, error: dict[str, Any], name: str) -> bool:
        """Whether the code in which `error` is has a word `name`; a script is one piece of code."""
        cell = error["cell"]
        text = "\n".join(self.cells) if cell is None else self.cells[cell]
        return re.search(rf"\b{re.escape(name)}\b", text) is not None

    def rebind(self, objects: dict[str, Any]) -> None:
        """Bind globals to `objects`, and with them every other global that is the same old
        object (an alias such as `net = model`). Plain values are rebound by name only.
        """
        for name, new in objects.items():
            old = self.namespace.get(name)
            if old is not None and not isinstance(old, _PLAIN):
                for other, value in list(self.namespace.items()):
                    if value is old:
                        self.namespace[other] = new
            self.namespace[name] = new

    def load(self) -> None:
        """Run the program once. Never raises for what the student's code does; see `errors`."""
        if self.loaded:
            raise RuntimeError("a program loads once")
        self.loaded = True
        me = os.getpid()
        sys.modules["__main__"] = self.module
        folders = tame()
        self._prepare()
        transformer = _Definitions(set(self._wraps))
        if self.kind == "notebook":
            self._run_notebook(transformer)
        else:
            self._run_script(transformer)
        if os.getpid() != me:  # a child that the program forked has run to the end of it
            os._exit(0)
        folders.back()

    def _defined(self, name: str, value: Any) -> Any:
        for wrap in self._wraps.get(name, []):
            value = wrap(value)
        return value

    def _prepare(self) -> None:
        if os.getcwd() not in sys.path:
            sys.path.insert(0, os.getcwd())  # modules beside the program can be imported
        builtins.__five_beats_defined__ = self._defined  # type: ignore[attr-defined]
        sys.argv = [self.main, *self.argv]
        absent.install(self.files)

    def _failed(self, error: BaseException, cell: int | None) -> None:
        absent.blame(error)
        info = describe(error, self.files)
        if info["cell"] is None and cell is not None:
            info["cell"] = cell
        if isinstance(error, SystemExit) and not _failing(error.code):
            self._ended = self._ended or info
        else:
            self.errors.append(info)

    def _remember(self, filename: str, text: str, cell: int | None) -> None:
        self.files[filename] = cell
        linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)

    def _run_script(self, transformer: _Definitions) -> None:
        text = "\n\n".join(self.cells)
        self._remember(self.main, text, None)
        try:
            try:
                code = compile(transformer.visit(ast.parse(text, self.main)), self.main, "exec")
            except (SyntaxError, ValueError, RecursionError):
                self.report["unread"] = True  # nothing of it ran
                raise
            exec(code, self.namespace)
        except StopProgram:
            self.stopped = True
        except BaseException as e:
            self._failed(e, None)

    def _run_notebook(self, transformer: _Definitions) -> None:
        from .notebook_shell import make_shell  # IPython only where there is a notebook

        shell = make_shell(self.module)
        shell.ast_transformers.append(transformer)
        for index, source in enumerate(self.cells):
            name = f"<cell {index + 1}>"
            self._remember(name, source, index)
            shell.compile.get_code_name = lambda raw, code, number, name=name: name
            try:
                result = shell.run_cell(source, store_history=False)
            except StopProgram:
                self.stopped = True
                return
            error = result.error_before_exec or result.error_in_exec
            if isinstance(error, StopProgram):
                self.stopped = True
                return
            if error is not None:
                self._failed(error, index)


def first_error(program: Program) -> dict[str, Any] | None:
    """The first error of loading, without its traceback."""
    if not program.errors:
        return None
    return {k: program.errors[0][k] for k in ("type", "message", "line", "cell")}
