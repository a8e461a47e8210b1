"""`value` and `object`: functions and objects held to a reference, or to what is stated."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest

from autograder.errors import ConfigError
from tests.own_checks import HEAD, Lab, outline

CHECKS = """
    import numpy as np
    from autograder.checks.calls import Own, Tensor, Var, call, do, get, own, run, see

    def rows(rng):
        for shape in ((4, 3), (1, 5)):
            yield call(rng.normal(size=shape))

    def owned(rng):
        x = rng.normal(size=4)
        yield call(Tensor(x, requires_grad=True, grad=np.ones(4)))
        yield call(x)

    def pairs(rng):
        yield call(rng.normal(size=5).astype("float32"), rng.normal(size=5).astype("float32"))
        yield call(rng.normal(size=(5, 1)), rng.normal(size=5))

    def scored(rng):
        yield call(Own("power")(3), rng.normal(size=3))
        yield call(Own("total"), rng.normal(size=2))

    def curves(rng):
        for patience in (1, 2, 3):
            losses = rng.normal(1, 0.3, 7).round(3).tolist()
            yield run(call(patience), *[do("step", v) for v in losses], get("best"))
        yield run(call(-1))

    def late(one):
        steps = [s.args[0] for s in one.steps if s.kind == "call"]
        best, bad, said = float("inf"), 0, []
        for v in steps:
            bad = 0 if v < best else bad + 1
            best = min(v, best)
            said.append(bad > one.new.args[0])
        return [*said, best]

    def paths(rng):
        w = Tensor(rng.normal(size=3), requires_grad=True)
        steps = [own("pull", Var("w")), do("step"), see("w")] * 3
        yield run(call([Var("w")], lr=0.1), *steps, w=w)

    def summed(pred, target):
        return ((pred - target) ** 2).sum()
"""
PROBES = """
    def power(n):
        return lambda x: (x ** n).sum()

    def total(x):
        return x.sum()

    def pull(w):
        w.grad = None
        ((w - 1) ** 2).sum().backward()
"""
MSE = """
    def mse(pred, target):
        if pred.shape != target.shape:
            raise ValueError("shapes")
        return ((pred - target) ** 2).mean()
"""
SOFT = """
    def log_softmax(x):
        x = x - x.max(1, keepdim=True).values
        return x - x.exp().sum(1, keepdim=True).log()
"""
GRADIENT = """
    def gradient(f, x):
        own = x.detach().clone().requires_grad_()
        return torch.autograd.grad(f(own), own)[0]
"""
STOPPING = """
    class EarlyStopping:
        def __init__(self, patience):
            if patience < 0:
                raise ValueError("patience")
            self.patience, self.best, self.bad = patience, math.inf, 0

        def step(self, loss):
            self.bad = 0 if loss < self.best else self.bad + 1
            self.best = min(self.best, loss)
            return self.bad >= self.patience
"""


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    reference = MSE + SOFT + GRADIENT + STOPPING + OPTIMIZER + UNTOUCHED
    return Lab(tmp_path, reference, checks=CHECKS, probes=PROBES)


UNTOUCHED = """
    def half(x):
        return x / 2
"""
OPTIMIZER = """
    class Descent:
        def __init__(self, params, lr):
            self.params, self.lr = list(params), lr

        def step(self):
            with torch.no_grad():
                for p in self.params:
                    p -= self.lr * p.grad
"""


def value(**options: Any) -> dict[str, Any]:
    return {"use": "value", "with": options}


# --- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "return torch.log_softmax(x, 1)",
        "return torch.log_softmax(x, 1).numpy()",
        "return torch.log_softmax(x, 1).tolist()",
        "return [row.log_softmax(0) for row in x]",
        "return x - torch.logsumexp(x, dim=1)[:, None]",
    ],
)
def test_another_way_to_the_same_values_passes(lab: Lab, body: str) -> None:
    found = lab.one(
        f"def log_softmax(x):\n    {body}\n", value(function="log_softmax", cases="rows")
    )
    assert outline(found) == ("passed", []), found.message


@pytest.mark.parametrize(
    ("body", "bugs", "said"),
    [
        ("return torch.log_softmax(x, 0)", ["wrong_value"], "entries differ"),
        ("return torch.log_softmax(x, 1).T", ["wrong_shape"], "exchanged"),
        ("return torch.log_softmax(x, 1)[0]", ["wrong_shape"], "(3,)"),
        ("return torch.log_softmax(x.float(), 1)", ["wrong_value"], "has"),
        ("return x.exp() / 0", ["numerically_unstable"], "inf"),
        ("return None", ["wrong_value"], "None"),
        ("return 'x'", ["wrong_value"], "'x'"),
        ("return torch.softmax", ["wrong_value"], "builtin_function"),
        ("return float(x.sum())", ["wrong_shape"], "shape ()"),
        ("return {'a': x}", ["wrong_value"], "dict"),
    ],
)
def test_wrong_values_are_told_with_what_is_right(
    lab: Lab, body: str, bugs: list[str], said: str
) -> None:
    found = lab.one(
        f"def log_softmax(x):\n    {body}\n", value(function="log_softmax", cases="rows")
    )
    assert outline(found) == ("failed", bugs)
    assert "log_softmax(<4x3>)" in found.message and said in found.message


def test_what_raises_is_told_with_its_line_and_what_is_missing_by_name(lab: Lab) -> None:
    raises = lab.one("def mse(a, b):\n    return a.nothing\n", value(function="mse", cases="pairs"))
    assert outline(raises) == ("error", []) and "line 6" in raises.message
    missing = lab.one("def mean(a, b): ...\n", value(function="mse", cases="pairs"))
    assert outline(missing) == ("failed", ["missing_name"])
    stub = lab.one(
        "def mse(a, b):\n    raise NotImplementedError()\n", value(function="mse", cases="pairs")
    )
    assert "not written yet" in stub.message


def test_a_refusal_of_the_reference_is_asked_for(lab: Lab) -> None:
    check = value(function="mse", cases="pairs", bug="mse_broadcast")
    assert outline(lab.one(MSE, check)) == ("passed", [])
    lax = lab.one("def mse(a, b):\n    return ((a - b) ** 2).mean()\n", check)
    assert outline(lax) == ("failed", ["mse_broadcast"]) and "ValueError" in lax.message
    other = MSE.replace("ValueError", "TypeError")
    assert outline(lab.one(other, check)) == ("failed", ["mse_broadcast"])
    own = "class Shapes(ValueError): pass\n" + MSE.replace("ValueError", "Shapes").replace(
        "\n    ", "\n"
    )
    assert outline(lab.one(own, check)) == ("passed", [])


def test_a_known_mistake_is_named_by_its_own_answer(lab: Lab) -> None:
    named = [{"how": "summed", "bug": "sum_instead_of_mean", "says": "it is the sum"}]
    check = value(function="mse", cases="pairs", named=named)
    summed = lab.one("def mse(a, b):\n    return ((a - b) ** 2).sum()\n", check)
    assert outline(summed) == ("failed", ["sum_instead_of_mean"])
    assert summed.message.endswith("; it is the sum")
    other = lab.one("def mse(a, b):\n    return (a - b).mean()\n", check)
    assert outline(other) == ("failed", ["wrong_value"])


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("x.div_(2); return x", "values"),
        ("x.grad = None; return x.detach() / 2", ".grad"),
        ("x.grad.zero_(); return x.detach() / 2", ".grad"),
        ("x.requires_grad_(True); return x / 2", "requires_grad"),
    ],
)
def test_what_was_given_has_to_stay_as_it_was(lab: Lab, body: str, what: str) -> None:
    check = value(function="half", cases="owned", untouched=True, compare=False)
    body = f"with torch.no_grad():\n        {body.replace('; ', chr(10) + '        ')}"
    found = lab.one(f"def half(x):\n    {body}\n", check)
    assert outline(found) == ("failed", ["mutates_input"]), found.message
    assert what in found.message and "argument x" in found.message
    assert (
        outline(lab.one("def half(x):\n    return x.detach().clone().div_(2)\n", check))[0]
        == "passed"
    )


def test_functions_of_the_assignment_are_arguments(lab: Lab) -> None:
    check = value(function="gradient", cases="scored", twice=True, untouched=True, no_graph=True)
    assert outline(lab.one(GRADIENT, check)) == ("passed", [])
    kept = """
        def gradient(f, x):
            x.requires_grad_()
            f(x).backward()
            return x.grad
    """
    assert outline(lab.one(kept, check)) == ("failed", ["mutates_input"])
    twice = value(function="gradient", cases="scored", twice=True)
    told = lab.one(kept, twice)
    assert outline(told) == ("failed", ["mutates_input"]) and "second call" in told.message
    graph = GRADIENT.replace("f(own), own", "f(own), own, create_graph=True")
    assert outline(lab.one(graph, check)) == ("failed", ["loss_graph_accumulated"])


def test_gradients_are_compared_where_they_are_asked_for(lab: Lab) -> None:
    check = value(function="log_softmax", cases="rows", gradient=True)
    assert (
        outline(lab.one("def log_softmax(z):\n    return z.log_softmax(1)\n", check))[0] == "passed"
    )
    cut = lab.one("def log_softmax(x):\n    return x.detach().log_softmax(1)\n", check)
    assert outline(cut) == ("failed", ["graph_cut"])
    part = "def log_softmax(x):\n    return x - x.detach().logsumexp(1, keepdim=True)\n"
    assert outline(lab.one(part, check)) == ("failed", ["wrong_value"])
    inplace = "def log_softmax(x):\n    x -= x.logsumexp(1, keepdim=True)\n    return x\n"
    assert outline(lab.one(inplace, check)) == ("error", ["inplace_autograd_error"])


def test_gradients_of_some_arguments_leave_the_others_alone(lab: Lab) -> None:
    detached = "def mse(p, t):\n    return ((p - torch.tensor(t.numpy())) ** 2).mean()\n"
    (lab.folder / "checks.py").write_text(
        "from autograder.checks.calls import call\n\n\n"
        "def alike(rng):\n    yield call(rng.normal(size=3), rng.normal(size=3))\n"
    )
    lab.reference = HEAD + textwrap.dedent(MSE)
    some = value(function="mse", cases="alike", gradient=[0])
    assert outline(lab.one(detached, some)) == ("passed", [])
    assert lab.one(detached, value(function="mse", cases="alike", gradient=True)).status == "error"
    cut = detached.replace("p - ", "p.detach() - ")
    assert outline(lab.one(cut, some)) == ("failed", ["graph_cut"])


def test_what_has_to_be_plain_or_lazy_or_of_a_type(lab: Lab) -> None:
    examples = [{"call": [[1.0, 2.0]], "gives": {"a": 3.0}}]
    plain = value(function="f", examples=examples, plain=True)
    assert outline(lab.one("def f(x): return {'a': x.sum().item()}\n", plain))[0] == "passed"
    assert outline(lab.one("def f(x): return {'a': np.float64(3)}\n", plain))[0] == "passed"
    assert outline(lab.one("def f(x): return {'a': x.sum()}\n", plain)) == (
        "failed",
        ["wrong_value"],
    )
    graph = "def f(x):\n    return {'a': x.clone().requires_grad_().sum()}\n"
    assert outline(lab.one(graph, plain)) == ("failed", ["loss_graph_accumulated"])
    lazy = value(function="f", examples=[{"call": [3], "gives": [0, 1, 2]}], lazy=True)
    assert outline(lab.one("def f(n):\n    yield from range(n)\n", lazy))[0] == "passed"
    assert outline(lab.one("def f(n):\n    return list(range(n))\n", lazy))[0] == "failed"
    typed = value(function="log_softmax", cases="rows", dtype=True, tolerance=1e-4)
    wide = lab.one("def log_softmax(x):\n    return x.log_softmax(1).float()\n", typed)
    assert outline(wide) == ("failed", ["wrong_value"]) and "float32" in wide.message


def test_borrowed_work_is_seen_by_what_runs(lab: Lab) -> None:
    check = value(function="log_softmax", cases="rows", borrowed=["log_softmax", "logsumexp"])
    for body in (
        "return torch.log_softmax(x, 1)",
        "return nn.functional.log_softmax(x, 1)",
        "return nn.LogSoftmax(1)(x)",
        "return x - x.logsumexp(1, keepdim=True)",
        "return -nn.CrossEntropyLoss(reduction='none')(x, torch.zeros(len(x)).long())[:, None] - x",
        "with torch._C._DisableTorchDispatch():\n        return x.log_softmax(1)",
    ):
        found = lab.one(f"def log_softmax(x):\n    {body}\n", check)
        assert outline(found) == ("failed", ["borrowed"]), body
    assert outline(lab.one(SOFT, check)) == ("passed", [])
    beside = SOFT + "    right = torch.log_softmax(torch.ones(2, 2), 1)\n"
    assert outline(lab.one(beside, check)) == ("passed", [])


def test_examples_are_stated_and_need_no_reference(lab: Lab) -> None:
    examples = [
        {"call": [[2.5, 3.1, 4.0], [3.0, 3.0, 4.0]], "gives": 0.0867, "tolerance": 1e-3},
        {"call": [[[1.0], [2.0]], [1.0, 2.0]], "refused": "ValueError"},
    ]
    check = {**value(function="mse", examples=examples), "visibility": "public"}
    assert outline(lab.one(MSE, check)) == ("passed", [])
    halved = MSE.replace(".mean()", ".mean() / 2")
    found = lab.one(halved, check)
    assert outline(found) == ("failed", ["wrong_value"])
    assert (
        "mse([2.5, 3.1, 4.0], [3.0, 3.0, 4.0]) is 0.0433333, where 0.0867 is right" in found.message
    )


# --- objects --------------------------------------------------------------------------------------


def test_an_object_follows_the_reference_step_by_step(lab: Lab) -> None:
    check = {
        "use": "object",
        "with": {
            "class": "EarlyStopping",
            "cases": "curves",
            "named": [{"how": "late", "bug": "early_stop_off_by_one", "says": "one step late"}],
        },
    }
    assert outline(lab.one(STOPPING, check)) == ("passed", [])
    late = lab.one(STOPPING.replace(">= self.patience", "> self.patience"), check)
    assert outline(late) == ("failed", ["early_stop_off_by_one"])
    assert "EarlyStopping(1)" in late.message and "after" in late.message
    lax = lab.one(STOPPING.replace("raise ValueError", "str"), check)
    assert outline(lax) == ("failed", ["wrong_value"]) and "ValueError" in lax.message
    nothing = lab.one(STOPPING.replace("self.best = min", "best = min"), check)
    assert nothing.status == "failed"


def test_an_object_works_on_variables_and_by_functions_of_the_assignment(lab: Lab) -> None:
    options = {"class": "Descent", "cases": "paths"}
    check = {"use": "object", "with": options}
    assert outline(lab.one(OPTIMIZER, check)) == ("passed", [])
    rebinds = OPTIMIZER.replace("p -= self.lr * p.grad", "p = p - self.lr * p.grad")
    assert outline(lab.one(rebinds, check)) == ("failed", ["wrong_value"])
    borrowed = {"use": "object", "with": {**options, "borrowed": ["optim.SGD"]}}
    handed = "def Descent(params, lr):\n    return torch.optim.SGD(params, lr)\n"
    assert outline(lab.one(handed, check)) == ("passed", [])
    assert outline(lab.one(handed, borrowed)) == ("failed", ["borrowed"])
    above = "class Descent(torch.optim.SGD):\n    def step(self):\n        super().step()\n"
    assert outline(lab.one(above, borrowed)) == ("failed", ["borrowed"])
    rule = "with torch.no_grad(): [p.sub_(0.1 * p.grad) for p in self.param_groups[0]['params']]"
    own = above.replace("super().step()", rule.replace("0.1", "self.param_groups[0]['lr']"))
    assert outline(lab.one(own, borrowed)) == ("passed", [])
    mine = "class Descent(torch.optim.Optimizer):" + OPTIMIZER.split("class Descent:")[1].replace(
        "self.params, self.lr = list(params), lr",
        "super().__init__(list(params), {}); self.lr = lr; "
        "self.params = self.param_groups[0]['params']",  # a group without a rate
    )
    found = lab.one(mine, borrowed)
    assert outline(found) == ("passed", []), found.message


def test_steps_can_be_stated(lab: Lab) -> None:
    examples = [
        {
            "new": [2],
            "do": [{"step": [0.9]}, {"step": [0.95]}, "best"],
            "gives": [False, False, 0.9],
        }
    ]
    check = {
        "use": "object",
        "with": {"class": "EarlyStopping", "examples": examples},
        "visibility": "public",
    }
    assert outline(lab.one(STOPPING, check)) == ("passed", [])
    assert outline(lab.one(STOPPING.replace(">=", "<"), check))[0] == "failed"


# --- what is refused where the configuration is read ----------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"function": "f"}, "one of the options 'cases' and 'examples'"),
        ({"function": "f", "cases": "nothing"}, "checks.py does not define"),
        ({"function": "f", "cases": "rows", "tolerence": 1}, "did you mean 'tolerance'"),
        ({"function": "f", "cases": "rows", "bug": "wrong_valve"}, "did you mean 'wrong_value'"),
        ({"function": "f", "cases": "curves"}, "call(...)"),
        ({"function": "f", "examples": [{"call": [1]}]}, "without its right answer"),
        ({"function": "f", "examples": [{"kall": [1], "gives": 1}]}, "another form"),
        ({"function": "f", "examples": [{"call": [["a"]], "gives": 1}]}, "no tensor"),
        ({"function": "f", "cases": "rows", "named": [{"how": "x"}]}, "another form"),
        ({"function": 3, "cases": "rows"}, "a text"),
        ({"cases": "rows"}, "lacks the option 'function'"),
    ],
)
def test_mistakes_in_the_options_get_one_line(lab: Lab, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match="check 'c0'") as caught:
        lab.assignment(value(**options))
    assert said in str(caught.value) and "assignment.yml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_public_check_draws_from_what_goes_into_the_release(lab: Lab) -> None:
    check = {**value(function="mse", cases="pairs"), "visibility": "public"}
    with pytest.raises(ConfigError, match=r"public_checks\.py"):
        lab.assignment(check)
