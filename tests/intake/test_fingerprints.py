"""Likeness by structure: what hides no copy, and who is not called one."""

from __future__ import annotations

import ast
import itertools
import random
import re
from pathlib import Path

import pytest

from autograder.intake import fingerprints
from autograder.intake.fingerprints import LISTED, Work, alike, passages, runs
from autograder.intake.notebook import read_cells
from tests.samples import ROOT

ASSIGNMENTS = sorted(p.name for p in (ROOT / "assignments").iterdir() if p.is_dir())
OF_ONE_TEXT = {
    "06-line-by-line": (
        {"plain", "notebook_cells", "clipping_and_schedule", "own_cross_entropy"},
        {"randperm_and_tensors", "half_batches", "updates_by_hand"},
    ),
    "08-schedule-and-resume": ({"plain", "scaled_limit_and_buffer"},),
    "09-debugging-clinic": (
        {"plain", "notebook", "other_ways", "squares"},
        {"loop_class", "moved_loader"},
    ),
}
"""Correct samples that were written out of one another; all others are by unlike writers."""


def code(path: Path) -> str:
    if path.suffix == ".py":
        return path.read_text()
    return "\n\n".join(c.text for c in read_cells(path.name, path.read_bytes())[0] if c.code)


def given(assignment: str) -> frozenset[int]:
    files = (ROOT / "release" / assignment).rglob("*")
    texts = [code(p) for p in files if p.suffix in (".py", ".ipynb")]
    return frozenset().union(*map(runs, texts))


def sample(assignment: str, name: str) -> str:
    folder = ROOT / "assignments" / assignment / "submissions" / name
    return "\n\n".join(code(p) for p in sorted(folder.iterdir()) if p.suffix in (".py", ".ipynb"))


def works(assignment: str) -> dict[str, str]:
    folder = ROOT / "assignments" / assignment / "submissions"
    names = sorted(p.name for p in folder.iterdir() if p.name.startswith("correct_"))
    return {name.removeprefix("correct_"): sample(assignment, name) for name in names}


class _Renamed(ast.NodeTransformer):
    """Other names for all that a program binds, but for what the handout asks for by name."""

    def __init__(self, tree: ast.Module) -> None:
        asked = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        self.names: dict[str, str] = {}
        self.attributes: dict[str, str] = {}
        for n in ast.walk(tree):
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) and n.id not in asked:
                self.names[n.id] = f"other_{len(self.names)}"
            elif isinstance(n, ast.arg) and n.arg != "self":
                self.names[n.arg] = f"other_{len(self.names)}"
            elif isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store):
                self.attributes[n.attr] = f"part_{len(self.attributes)}"

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        self.generic_visit(node)
        node.arg = self.names.get(node.arg, node.arg)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        node.attr = self.attributes.get(node.attr, node.attr)
        return node


def disguised(text: str, seed: int = 0) -> str:
    """A copy with other names, functions in another order, docstrings, and more prints."""
    tree = ast.parse(text)
    tree = _Renamed(tree).visit(tree)
    chance = random.Random(seed)
    places = [i for i, s in enumerate(tree.body) if isinstance(s, ast.FunctionDef)]
    functions = [tree.body[i] for i in places]
    chance.shuffle(functions)
    for i, function in zip(places, functions, strict=True):
        tree.body[i] = function
    for n in ast.walk(tree):
        if isinstance(n, ast.FunctionDef):
            n.body.insert(0, ast.Expr(ast.Constant(f"What {n.name} does.")))
            if len(n.body) > 3:
                n.body.insert(
                    chance.randrange(1, len(n.body)), ast.parse("print('step', 1)").body[0]
                )
    return "# mine\n" + ast.unparse(ast.fix_missing_locations(tree))


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_unlike_writers_are_not_listed_and_their_copyists_are(assignment: str) -> None:
    handed_out = given(assignment)
    texts = works(assignment)
    class_ = {name: Work.of(text) for name, text in texts.items()}
    one_text = OF_ONE_TEXT.get(assignment, ())
    unlike = [
        p
        for p in alike(class_, handed_out, listed=0.0)
        if not any(set(p.names) <= together for together in one_text)
    ]
    assert len(unlike) >= 6
    assert unlike[0].likeness < LISTED - 0.1, "honest work stays well below"
    for name, text in texts.items():
        try:
            copy = Work.of(disguised(text))
        except SyntaxError:  # a notebook's own lines, which are not for `ast`
            continue
        found = [p for p in alike({**class_, "copyist": copy}, handed_out) if "copyist" in p.names]
        assert {name, "copyist"} == set(found[0].names), (name, found)


SOURCE = '''
import numpy as np
import torch.nn.functional as F

def loss_of(model, images, labels):
    """The mean."""
    answers = model(images)
    value = F.cross_entropy(answers, labels)
    for row in answers.tolist():
        print("row", row, 1.5e-3)
    return value

def accuracy(model, loader):
    right, seen = 0, 0
    for images, labels in loader:
        right += (model(images).argmax(1) == labels).sum().item()
        seen += len(labels)
    return np.float64(right / seen)
'''
HEAD, FIRST, SECOND = re.split(r"(?=^def )", SOURCE, flags=re.MULTILINE)
DISGUISES = {
    "names": SOURCE.replace("answers", "z").replace("right", "n_ok").replace("loader", "it"),
    "aliases": SOURCE.replace("as np", "as numbers").replace("np.", "numbers.")
    .replace("as F", "as fun").replace("F.cross", "fun.cross"),
    "comments": SOURCE.replace("value = ", "# now\n    value = ").replace('"""The mean."""', "'x'"),
    "annotations": SOURCE.replace(
        "(model, images, labels):",
        "(model: object, images: dict[str, int] = 1, labels=2) -> float:",
    ).replace("value = ", "value: float = "),
    "literals": SOURCE.replace('"row"', "f'{3}'").replace("1.5e-3", "12"),
    "brackets": SOURCE.replace("return value", "return (value)").replace("0, 0", "(0), (0)"),
    "order": f"{HEAD}{SECOND}\n{FIRST}",
    "layout": SOURCE.replace("(model, loader)", "(\n model,\n loader,\n )").replace("    ", "\t"),
}  # fmt: skip


@pytest.mark.parametrize("name", DISGUISES)
def test_what_hides_nothing(name: str) -> None:
    text = DISGUISES[name]
    assert text != SOURCE
    plain = SOURCE
    if name == "annotations":  # defaults are no annotations
        plain = SOURCE.replace("(model, images, labels):", "(model, images=1, labels=2):")
    assert Work.of(text).prints == Work.of(plain).prints


def test_another_interface_is_another_program() -> None:
    other = SOURCE.replace("argmax", "max").replace("cross_entropy", "nll_loss")
    assert Work.of(other).prints != Work.of(SOURCE).prints


def test_what_was_handed_out_is_nobodys_copy() -> None:
    one = "def f{0}(a, b):\n    c = a.m{0}(b) + a.n{0}(b)\n    return c.o{0}(a, b)"
    body = "\n".join(one.format(i) for i in range(60))
    mine = "\n".join(f"def g{i}(a):\n    return a.p{i}(a).q{i}(a.r{i}(a), a)" for i in range(60))
    yours = mine.replace(".p", ".s").replace(".q", ".t").replace(".r", ".u")
    class_ = {"a": Work.of(body + "\n" + mine), "b": Work.of(body + "\n" + yours)}
    assert [p.likeness for p in alike(class_)] == [], "half of it is the same"
    assert alike(class_, listed=0.4)[0].likeness > 0.4
    assert not alike(class_, runs(body), listed=0.1)
    assert not alike({"a": class_["a"], "b": class_["a"]}, runs(body + "\n" + mine)), "too short"


def test_what_more_than_ten_wrote_comes_from_the_lecture() -> None:
    text = "\n".join(f"def g{i}(a):\n    return a.p{i}(a).q{i}(a.r{i}(a), a)" for i in range(60))
    works = {str(i): Work.of(text) for i in range(fingerprints.COMMON)}
    assert len(alike(works)) == 45
    assert not alike({**works, "one more": Work.of(text)})


def test_marks_are_what_both_hold() -> None:
    text = "\n".join(f"def g{i}(a):\n    return a.p{i}(a).q{i}(a.r{i}(a), a)" for i in range(60))
    more = text + "\n\ndef own(x, y, z):\n    return [x.one(y), y.two(z), z.three(x), x.four(y)]\n"
    (pair,) = alike({"a": Work.of(text), "b": Work.of(more)})
    assert pair.likeness == 1.0 and pair.shares[0] == 1.0 > pair.shares[1]
    pieces = Work.of(more).pieces(pair.runs, ())
    assert "".join(t for _, t in pieces) == more
    assert "own" not in "".join(t for kind, t in pieces if kind == "shared")
    assert {kind for kind, _ in Work.of(more).pieces((), runs(text))} == {"given", ""}


@pytest.mark.parametrize(
    "text",
    ["", "\0\0", "(" * 200_000, "def " * 50_000, "'" * 99_999, "x=" * 100_000, "a.b" * 100_000,
     "\n".join(f"{'    ' * i}if x:" for i in range(400)), "!ls\n%time x = 1\n",
     "def f(", "\u0661 = 2"],
)  # fmt: skip
def test_hostile_text_is_only_text(text: str) -> None:
    work = Work.of(text)
    assert work.prints == Work.of(text).prints
    assert all(0 <= t.start < t.end for p in passages(text) for t in p)


def test_pairs_are_in_one_order_whatever_the_works_are_in() -> None:
    text = "\n".join(f"def g{i}(a):\n    return a.p{i}(a).q{i}(a.r{i}(a), a)" for i in range(60))
    works = {n: Work.of(text + "\n" + n * 30) for n in "abc"}
    found = [alike(dict(order)) for order in itertools.permutations(works.items())]
    assert all(f == found[0] for f in found) and len(found[0]) == 3
