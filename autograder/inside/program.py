"""A student's program: loaded as Python or a notebook would load it, and then at a probe's hand.

Theory. A script runs as `__main__`, top to bottom, and what raises ends it. A notebook's
code cells run one by one in IPython's own shell, and a cell that raises is recorded and the
next one runs, as a student at the keyboard would. What a machine without a person cannot
give is tamed instead of failing: `input()` answers with an empty line, `plt.show()` draws
nothing, `!pip` and its like are not run, an unguarded import of Colab's helpers finds
stand-ins that do nothing (a guarded one fails as it does outside Colab).

Probes reach the program through `Program`: by `get` for a name the handout asks for, by
`rebind` to put secret objects in the place of its globals, and, before loading, by
`on_definition` to wrap a function the moment it is defined.
"""

from __future__ import annotations

import ast
import builtins
import linecache
import os
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any

Wrap = Callable[[Any], Any]
MESSAGE_CAP = 2_000
TRACEBACK_CAP = 8_000
_PLAIN = (bool, int, float, complex, str, bytes, tuple, frozenset, type(None))


class MissingName(Exception):  # noqa: N818 - read by students in messages; it is no "Error" of ours
    """A name that the handout asks for is not defined after the program ran."""


class StopProgram(BaseException):
    """Raised by a hook to end `load()` early; a `BaseException` so that `except Exception`
    in the student's code does not swallow it.
    """


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
        elif i == len(frames) - 1:
            shown.append(frame)
    if isinstance(error, SyntaxError) and error.filename in files:
        line, cell = error.lineno, files[error.filename]
    try:
        message = str(error)
    except Exception as broken:  # a hostile __str__ must not end the report
        message = f"(its message cannot be shown: {type(broken).__name__})"
    if isinstance(error, SyntaxError):
        message = str(error.msg)
    text = "".join(traceback.format_list(shown))
    return {
        "type": type(error).__name__[:200],
        "message": message[:MESSAGE_CAP],
        "line": line,
        "cell": cell,
        "traceback": text[-TRACEBACK_CAP:],
    }


class _Definitions(ast.NodeTransformer):
    """Inserts `name = __five_beats_defined__("name", name)` after each top-level binding of a
    watched name, and a call that provides Colab's stand-ins before an unguarded import of
    them. Function bodies are left alone.
    """

    def __init__(self, names: set[str]) -> None:
        self.names = names
        self.guarded = 0

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
        return self._binding(node, [t.id for t in node.targets if isinstance(t, ast.Name)])

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        bound = isinstance(node.target, ast.Name) and node.value is not None
        return self._binding(node, [node.target.id] if bound else [])  # type: ignore[union-attr]

    def visit_Try(self, node: ast.Try) -> Any:
        self.guarded += 1
        self.generic_visit(node)
        self.guarded -= 1
        return node

    def _import(self, node: ast.stmt, modules: list[str]) -> Any:
        colab = any(m == "google.colab" or m.startswith("google.colab.") for m in modules)
        if colab and not self.guarded:
            return [self._call("__five_beats_colab__()", node), node]
        return node

    def visit_Import(self, node: ast.Import) -> Any:
        return self._import(node, [a.name for a in node.names])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
        module = node.module or ""
        return self._import(node, [module, *(f"{module}.{a.name}" for a in node.names)])

    def visit_Expr(self, node: ast.Expr) -> Any:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> Any:
        return node


class _Nothing(types.ModuleType):
    """A stand-in module: any attribute is a function that does nothing and returns None."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: None


def _nobody_types(prompt: object = "", /) -> str:
    """`input()` where nobody sits at the keyboard: the prompt is shown, the answer empty."""
    print(prompt)
    return ""


def _provide_colab() -> None:
    google = sys.modules.setdefault("google", types.ModuleType("google"))
    colab = _Nothing("google.colab")
    colab.__path__ = []
    sys.modules["google.colab"] = colab
    google.colab = colab  # type: ignore[attr-defined]
    for name in ("drive", "files", "userdata", "output", "auth", "patches"):
        stub = _Nothing(f"google.colab.{name}")
        sys.modules[f"google.colab.{name}"] = stub
        setattr(colab, name, stub)


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

    def on_definition(self, name: str, wrap: Wrap) -> None:
        """Before `load`: when a top-level `def`, `class` or assignment has bound `name`,
        `namespace[name]` becomes `wrap(what was bound)`.
        """
        self._wraps.setdefault(name, []).append(wrap)

    def get(self, name: str) -> Any:
        """The object a global name is bound to; raises `MissingName` if there is none."""
        if name in self.namespace:
            return self.namespace[name]
        why = ""
        if self.errors:
            first = self.errors[0]
            line = f" at line {first['line']}" if first["line"] else ""
            cell = f" of code cell {first['cell'] + 1}" if first["cell"] is not None else ""
            said = f": {first['message'][:200]}" if first["message"] else ""
            why = f"; the program stopped{line}{cell}: {first['type']}{said}"
        raise MissingName(f"'{name}' is not defined{why}")

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
        self._tame()
        transformer = _Definitions(set(self._wraps))
        if self.kind == "notebook":
            self._run_notebook(transformer)
        else:
            self._run_script(transformer)
        if os.getpid() != me:  # a child that the program forked has run to the end of it
            os._exit(0)

    def _defined(self, name: str, value: Any) -> Any:
        for wrap in self._wraps.get(name, []):
            value = wrap(value)
        return value

    def _tame(self) -> None:
        if os.getcwd() not in sys.path:
            sys.path.insert(0, os.getcwd())  # modules beside the program can be imported
        builtins.input = _nobody_types
        builtins.__five_beats_defined__ = self._defined  # type: ignore[attr-defined]
        builtins.__five_beats_colab__ = _provide_colab  # type: ignore[attr-defined]

    def _failed(self, error: BaseException, cell: int | None) -> None:
        info = describe(error, self.files)
        if info["cell"] is None and cell is not None:
            info["cell"] = cell
        self.errors.append(info)

    def _remember(self, filename: str, text: str, cell: int | None) -> None:
        self.files[filename] = cell
        linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)

    def _run_script(self, transformer: _Definitions) -> None:
        text = "\n\n".join(self.cells)
        self._remember(self.main, text, None)
        sys.argv = [self.main, *self.argv]
        try:
            tree = transformer.visit(ast.parse(text, self.main))
            exec(compile(tree, self.main, "exec"), self.namespace)
        except StopProgram:
            self.stopped = True
        except SystemExit as e:
            if e.code not in (None, 0):
                self._failed(e, None)
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
            if error is not None and not (
                isinstance(error, SystemExit) and error.code in (None, 0)
            ):
                self._failed(error, index)
