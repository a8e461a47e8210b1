"""What a cell binds and needs, told from its text; compared with what Python itself says."""

from __future__ import annotations

import symtable
from pathlib import Path

import pytest

from autograder.intake.cell_names import names
from tests.samples import ROOT


@pytest.mark.parametrize(
    ("text", "binds", "needs"),
    [
        ("import torch.nn as nn, os.path", "nn os", ""),
        ("from a.b import (c as d,\n    e)  # f", "d e", ""),
        ("x = [i * k for i in y]", "x", "k y"),
        ("z, (w, *v) = f(a=3, b=q)", "z w v", "f q"),
        ("a[i] = o.p = t = 1", "t", "a i o"),
        ("n: int = m", "n", "m"),
        ("n: nn.Module", "", "nn"),
        ("total += loss", "", "total loss"),
        ("for a, b in loader:\n    s = a", "a b s", "loader"),
        ("with open(p) as g, q as h: u = g.read()", "g h u", "p q"),
        ("def f(a, *b, c: int = nn.k, d=lambda: 0):\n    return model(a)", "f", "nn"),
        ("@wrap\nasync def f(): pass", "f", "wrap"),
        (
            "class A(nn.Module):\n    k = 3\n    m = k + g\n    def h(self): return late",
            "A",
            "nn g",
        ),
        ("try:\n    import foo\nexcept ImportError:\n    foo = bar", "foo", ""),
        ("if (n := 10) > k:\n    y = later", "n y", "k"),
        ("def f():\n    global best\n    best = 1", "f best", ""),
        ("x = 1; y = x", "x y", ""),
        ("x = x + 1", "x", "x"),
        ("print(f'{a.b:.2f} {len(c)}', 'd')", "", "a c"),
        ("'''\nx = 1\n'''\n# y = 2\nz = 'w = 3'", "z", ""),
        ("g = lambda q: q + late", "g", ""),
        ("%matplotlib inline\n!pip install x\nfiles = !ls\ny = (1\n  % z)", "files y", "z"),
        ("%%time\nx = y", "x", "y"),
        ("def f():\n    pass\n%time model, history = train()\nmodel", "f model history", "train"),
        ("%time !ls\n%timeit -n 3 x = y", "", ""),
        ("%%bash\nx=1", "", ""),
        ("if x: y = 1\nelse: z = 2", "y z", "x"),
        ("lost = (unclosed", "lost", "unclosed"),
        ("s = 'unclosed\nt = 1", "s t", ""),
    ],
)
def test_what_is_bound_and_needed(text: str, binds: str, needs: str) -> None:
    found = names(text)
    assert (set(found.binds), set(found.needs)) == (set(binds.split()), set(needs.split()))


def test_what_is_looked_up_later_and_what_defines() -> None:
    found = names("import a\ndef f():\n    return g + b\nclass C:\n    pass\nh = lambda: late")
    assert {"g", "b", "late"} <= found.later
    assert found.defines == {"f", "C"} and found.quiet
    assert not names("f()").quiet
    assert not names("if __name__ == '__main__':\n    x = 1").quiet


@pytest.mark.parametrize("text", ["from a import *", "exec(x)", "%run a.py", "globals()['a'] = 1"])
def test_what_may_bind_more_than_can_be_seen_says_so(text: str) -> None:
    assert names(text).obscure and not names("import a\na.exec_ = 1").obscure


@pytest.mark.parametrize("text", ["!pip install x", "get_ipython().system('ls')", "  %time f()"])
def test_a_notebooks_own_lines_are_told_from_python(text: str) -> None:
    assert names(text).magic
    for plain in (
        f"'''\n{text}\n'''",
        f"# {text}",
        "x = (7\n  % 2)",
        "a != b",
        "def get_ipython(): 0",
    ):
        assert not names(plain).magic, plain


SCRIPTS = sorted((ROOT / "assignments").glob("*/submissions/correct_*/*.py"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: f"{p.parts[-4][:2]}-{p.parts[-2]}")
def test_real_programs_bind_what_python_says(path: Path) -> None:
    """Python's own symbol table of every correct sample, which is ours to parse."""
    text = path.read_text(encoding="utf-8")
    table = symtable.symtable(text, path.name, "exec")
    wanted = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
    spread, todo = set(wanted), list(table.get_children())
    while todo:
        inner = todo.pop()
        todo += inner.get_children()
        spread |= {
            s.get_name() for s in inner.get_symbols() if s.is_declared_global() and s.is_assigned()
        }
    found = names(text)
    assert wanted <= found.binds <= spread | wanted
    assert not found.needs & wanted, "a correct program binds a name before it looks it up"
    assert not found.magic


HOSTILE = {
    "brackets": "(" * 20_000,
    "assignments": "a = " * 20_000,
    "lambdas": "if lambda: " * 9_000,
    "classes": "class a:" * 9_000,
    "backslashes": "\\" * 9_999,
    "open quotes": '"""' + '\\"""' * 9_000 + "\\",
    "escaped quotes": "'\\" * 20_000,
    "imports": "import " + "a.b," * 9_000,
    "magics": "%%time" * 9_000,
    "holes": "f'" + "{" * 20_000,
    "comprehensions": "[x for x in " * 9_000,
    "indents": "".join(" " * n + "if x:\n" for n in range(300)),
    "signs": "\0\ud800é\u2028" * 999,
    "words": "def class : import from\nas as as for in\nimport\nfrom\ndef\n@\n;;",
    "nothing": "",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_nothing_in_a_text_breaks_the_reading(text: str) -> None:
    names(text)
