"""The loop and the evaluation of a program that works on its globals, in many styles."""

from __future__ import annotations

import textwrap

import pytest

from autograder.course import config
from autograder.model import Evidence, ProbeRequest
from tests.harness import ROOT, ForkedRun, judge_program
from tests.lab import (
    BACKWARD,
    BY_PARAMETERS,
    HEAD,
    HELD,
    LOSS,
    PROGRAM,
    SLOTS,
    STEP,
    ZERO,
    Changes,
    changed,
    digits,
    held,
    lost,
    results,
    through,
)

LOOP = (
    "epoch_runs",
    "zero_grad",
    "beats",
    "objective",
    "train_mode",
    "epoch_loss",
    "scaler",
    "evaluate_accuracy",
    "evaluate_mode",
    "evaluate_no_grad",
)
REPLAYED = ("epoch_runs", "zero_grad", "beats", "objective", "epoch_loss", "scaler")
MEAN = "total / len(train_loader.dataset)"
COUNT = "right += (model(x).argmax(1) == y).sum().item()"
BEST = "best_acc = 0.0\n"

CALLS = "    loss = train_one_epoch()\n    acc = evaluate()\n"
INNER = "def _epoch(model, loader):\n    model.train()"
NEXT = "@torch.no_grad()\ndef evaluate"
FACTORY = """\
def make(m, l):
    return lambda: _epoch(m, l)


train_one_epoch = make(model, train_loader)
"""
PARTIAL = """\
import functools
train_one_epoch = functools.partial(_epoch, model, loader=train_loader)
"""
CLIP = "        nn.utils.clip_grad_norm_(model.parameters(), 0.07)\n"
CYCLE = "cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=24)\n"
AUTOCAST = "        with torch.autocast('cpu', dtype=torch.bfloat16):\n    "
PREDICT = "    def predict(self, x):\n        return self(x).argmax(1)\n\n"
IF_ENABLED = """\
        if scaler.is_enabled():
            scaler.step(optimizer)
            scaler.update()
        else:
            optimizer.step()
"""
IF_CUDA = """\
        if device.type == "cuda":
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        else:
            loss.backward()
            optimizer.step()
"""

RIGHT: dict[str, Changes] = {
    "a loop that goes by other names": (
        ("def train_one_epoch():", "def learn():"),
        ("best_acc = 0.0\n", "train_one_epoch, _ = learn, None\nbest_acc = 0.0\n"),
        ("    loss = train_one_epoch()\n", "    loss = learn()\n"),
    ),
    "one update for two optimizers": (
        (
            "optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)",
            (
                "parts = model.fc1, model.fc2\n"
                "halves = [torch.optim.AdamW(m.parameters(), lr=1e-3) for m in parts]\n"
                "class Pair:\n"
                "    param_groups = [g for h in halves for g in h.param_groups]\n"
                "    def zero_grad(self):\n        for h in halves: h.zero_grad()\n"
                "optimizer = Pair()"
            ),
        ),
        ("scaler.step(optimizer)", "for h in halves: scaler.step(h)"),
    ),
    "as it is": (),
    "zeroed after the step": (ZERO, (STEP, STEP + ZERO[0])),
    "gradients set to None by hand": (
        (ZERO[0], "        for p in model.parameters():\n            p.grad = None\n"),
    ),
    "an alias of the model": (
        ("model = MLP().to(device)", "net = model = MLP().to(device)"),
        (LOSS, "criterion(net(x), y)"),
    ),
    "globals as default arguments": (
        ("def train_one_epoch():", "def train_one_epoch(loader=train_loader, net=model):"),
        ("    for x, y in train_loader:", "    for x, y in loader:"),
        (LOSS, "criterion(net(x), y)"),
        ("def evaluate():", "def evaluate(m=model, loader=test_loader):"),
        (COUNT, COUNT.replace("model", "m")),
    ),
    "parameters without defaults": (
        ("def train_one_epoch():", "def train_one_epoch(epoch, model, loader, opt):"),
        ("in train_loader:", "in loader:"),
        ("optimizer.zero_grad()", "opt.zero_grad()"),
        ("= train_one_epoch()", "= train_one_epoch(epoch, model, train_loader, optimizer)"),
    ),
    "a closure made by a factory": (
        (HEAD, INNER),
        ("in train_loader:", "in loader:"),
        (NEXT, FACTORY + NEXT),
    ),
    "a functools.partial": (
        (HEAD, INNER),
        ("in train_loader:", "in loader:"),
        (NEXT, PARTIAL + NEXT),
    ),
    "log_softmax before NLLLoss": (
        ("CrossEntropyLoss()", "NLLLoss()"),
        (LOSS, "criterion(model(x).log_softmax(1), y)"),
    ),
    "a summed loss over the batch size": (
        ("CrossEntropyLoss()", "CrossEntropyLoss(reduction='sum')"),
        (LOSS, "criterion(model(x), y) / len(y)"),
    ),
    "a smoothed criterion": (("CrossEntropyLoss()", "CrossEntropyLoss(label_smoothing=0.1)"),),
    "clipping after unscale_": ((STEP, "        scaler.unscale_(optimizer)\n" + CLIP + STEP),),
    "a one-cycle schedule that is over": (
        (BEST, CYCLE + BEST),
        (STEP, STEP + "        cycle.step()\n"),
    ),
    "bfloat16 under autocast": (
        (f"        loss = {LOSS}\n", f"{AUTOCAST}        loss = {LOSS}\n"),
    ),
    "modes set around the calls": (
        ("    model.train()\n", ""),
        ("    model.eval()\n", ""),
        (CALLS, "    model.train()\n" + CALLS.replace("    acc", "    model.eval()\n    acc")),
    ),
    "no_grad around the call": (
        ("@torch.no_grad()\n", ""),
        ("    acc = evaluate()\n", "    with torch.inference_mode():\n        acc = evaluate()\n"),
    ),
    "a method of the model": (
        ("    def forward(self, x)", PREDICT + "    def forward(self, x)"),
        (COUNT, "right += (model.predict(x) == y).sum().item()"),
    ),
    "the scaler only where it is enabled": (
        (BACKWARD, "        (scaler.scale(loss) if scaler.is_enabled() else loss).backward()\n"),
        (STEP, IF_ENABLED),
    ),
    "the scaler only on an accelerator": ((BACKWARD + STEP, IF_CUDA),),
}

WRONG: dict[str, tuple[str, Changes]] = {
    "missing_zero_grad": ("zero_grad", (ZERO,)),
    "zero_grad_after_backward": (
        "beats",
        (ZERO, (STEP, "        optimizer.zero_grad()\n" + STEP)),
    ),
    "step_before_backward": ("beats", ((BACKWARD + STEP, STEP + BACKWARD),)),
    "missing_backward": ("beats", ((BACKWARD, ""),)),
    "missing_step": ("beats", ((STEP, ""),)),
    "softmax_before_cross_entropy": (
        "objective",
        ((LOSS, "criterion(model(x).softmax(1), y)"),),
    ),
    "softmax_into_nll": (
        "objective",
        (("CrossEntropyLoss()", "NLLLoss()"), (LOSS, "criterion(model(x).softmax(1), y)")),
    ),
    "sum_instead_of_mean": (
        "objective",
        (
            ("CrossEntropyLoss()", "CrossEntropyLoss(reduction='sum')"),
            ("loss.item() * len(y)", "loss.item()"),
        ),
    ),
    "missing_train_mode": ("train_mode", (("    model.train()\n", ""),)),
    "mean_of_batch_means": (
        "epoch_loss",
        (("loss.item() * len(y)", "loss.item()"), (MEAN, "total / len(train_loader)")),
    ),
    "loss_divided_twice": ("epoch_loss", (("loss.item() * len(y)", "loss.item()"),)),
    "clip_before_unscale": (
        "scaler",
        ((STEP, CLIP + STEP),),
    ),
    "missing_eval_mode": ("evaluate_mode", (("    model.eval()\n", ""),)),
    "missing_no_grad": ("evaluate_no_grad", (("@torch.no_grad()\n", ""),)),
    "wrong_accuracy": (
        "evaluate_accuracy",
        (
            (COUNT, COUNT.replace("sum()", "float().mean()")),
            ("right / len(test_loader.dataset)", "right / len(test_loader)"),
        ),
    ),
}
COSTS_MORE: dict[str, set[str]] = {"missing_backward": {"scaler"}, "missing_step": {"scaler"}}
"""A scaler has nothing to scale where there is no backward pass, and nothing to step."""


@pytest.mark.parametrize("style", HELD)
def test_parts_held_elsewhere_are_judged_as_by_their_names(style: str) -> None:
    changes, clear = HELD[style]
    right = changed(*changes)
    assert lost(right, *REPLAYED) == {}
    found = lost(changed((clear, ""), base=right), "zero_grad", "beats", "objective")
    assert found == {"zero_grad": ("missing_zero_grad",)}


def test_a_held_part_hides_no_other_bug() -> None:
    """What clears by held parameters, but too early, is not called a loop that never clears."""
    changes = held("params = list(model.parameters())\n", (ZERO[0], ""))
    found = lost(changed(*changes, (STEP, BY_PARAMETERS + STEP)), "zero_grad", "beats", "objective")
    assert found == {"beats": ("zero_grad_after_backward",)}


@pytest.mark.parametrize("params", ["model.fc1.parameters()", "MLP().parameters()"])
def test_held_parameters_of_another_model_or_of_a_part_do_not_become_all(params: str) -> None:
    changes = held(f"params = list({params})\n", (ZERO[0], BY_PARAMETERS))
    found = lost(changed(*changes), "zero_grad", "beats", "objective")
    assert found == {"zero_grad": ("missing_zero_grad",)}


def test_a_held_optimizer_of_another_model_stays_stale() -> None:
    other = "opts = {'main': torch.optim.AdamW(MLP().parameters())}\n"
    found = lost(changed(*through(other, opt="opts['main']")[0]), "zero_grad", "beats", "wiring")
    assert found == {"wiring": ("stale_optimizer",)}


def test_a_held_optimizer_of_this_model_is_not_stale_whatever_else_is_wrong() -> None:
    changes, clear = HELD["an object of the optimizer alone"]
    partly = (clear, "        model.fc1.zero_grad()\n")
    checks = ("zero_grad", "beats", "objective", "wiring")
    found = lost(changed(partly, base=changed(*changes)), *checks)
    assert found == {"zero_grad": ("missing_zero_grad",)}


@pytest.mark.parametrize("whole", [True, False])
def test_an_evaluation_through_held_loaders_is_counted_right(whole: bool) -> None:
    changes = [("right / len(test_loader", "right / len(loaders[1]")]
    if whole:
        changes.append(("in test_loader:", "in loaders[1]:"))
    right = changed(*held("loaders = (train_loader, test_loader)\n", *changes))
    assert lost(right, *LOOP[7:]) == {}
    found = lost(changed(("return right", "return 1 - right"), base=right), *LOOP[7:])
    assert found == {"evaluate_accuracy": ("wrong_accuracy",)}


def test_modes_set_through_a_held_model_are_seen_where_the_program_ran_no_epochs() -> None:
    changes = [(f"    model.{mode}()\n", f"    run.net.{mode}()\n") for mode in ("train", "eval")]
    right = changed(*held(SLOTS, *changes, (CALLS, "    acc = loss = 0.5\n")))
    checks = ("train_mode", "evaluate_mode")
    assert lost(right, *checks) == {}
    wrong = changed(("    run.net.train()\n", ""), ("    run.net.eval()\n", ""), base=right)
    assert lost(wrong, *checks) == {
        "train_mode": ("missing_train_mode",),
        "evaluate_mode": ("missing_eval_mode",),
    }


def test_only_a_network_that_cannot_be_computed_again_is_asked_what_it_saw() -> None:
    told = []

    class Asked(ForkedRun):
        def ask(self, request: ProbeRequest) -> Evidence:
            told.append(bool(request.args.get("tell")))
            return super().ask(request)

    spec = config.assignment(ROOT / "assignments" / "05-five-beats" / "assignment.yml")
    for source in (PROGRAM, changed(ZERO)):
        judge_program(spec, Asked("script", "five_beats.py", [source], digits()), list(LOOP))
    assert told and not any(told)
    beside = changed(("x.flatten(1))))", "x.flatten(1)))) + x.flatten(1)[:, 404:414]"))
    found = judge_program(spec, Asked("script", "five_beats.py", [beside], digits()), ["beats"])
    assert any(told)
    assert found["beats"].status == "passed"


@pytest.mark.parametrize("style", RIGHT)
def test_a_correct_style_loses_nothing(style: str) -> None:
    assert lost(changed(*RIGHT[style]), *LOOP) == {}


def _in_a_function(source: str) -> str:
    """The program as the body of a function, whose names are bound outside when it has ended."""
    head, mark, body = source.partition("set_seed(0)\n")
    inner = textwrap.indent(mark + body, "    ")
    return f"{head}def work():\n{inner}    return locals()\n\n\nglobals().update(work())\n"


def test_a_program_that_binds_its_names_at_its_end_loses_nothing() -> None:
    checks = (*LOOP, "seeding", "statistics", "rate", "graphs", "wiring", "checkpoint_best")
    assert lost(_in_a_function(PROGRAM), *checks) == {}
    unseeded = changed(("    torch.manual_seed(seed)\n", ""))
    assert lost(_in_a_function(unseeded), *checks) == {"seeding": ("incomplete_seeding",)}
    assert lost(_in_a_function(changed(ZERO)), *LOOP) == {"zero_grad": ("missing_zero_grad",)}


@pytest.mark.parametrize("bug", WRONG)
def test_a_bug_loses_its_check_and_is_named(bug: str) -> None:
    check, changes = WRONG[bug]
    found = lost(changed(*changes), *LOOP)
    assert found[check] == (bug,)
    assert set(found) - {check} == COSTS_MORE.get(bug, set())
    assert all(not bugs for other, bugs in found.items() if other != check)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ((("        scaler.update()\n", ""),), "updated 0 times in 18 steps"),
        (
            ((STEP, "        scaler.update()\n        scaler.step(optimizer)\n"),),
            "updated before its step",
        ),
        (((BACKWARD, "        loss.backward()\n"),), "no loss was scaled"),
        (
            ((BACKWARD, "        loss.backward()\n"), (STEP, "        optimizer.step()\n")),
            "step was never called",
        ),
    ],
)
def test_a_scaler_half_used_is_told(changes: Changes, words: str) -> None:
    found = results(changed(*changes), *LOOP)
    assert words in found["scaler"].message
    assert [k for k, r in found.items() if r.status != "passed"] == ["scaler"]


def test_beats_in_place_along_no_gradient_are_no_beats() -> None:
    """The letters alone could be told by anybody; the steps are computed."""
    noise = "        for p in model.parameters():\n            p.grad = torch.randn_like(p)\n"
    found = results(changed((BACKWARD, BACKWARD + noise)), *LOOP)
    got = {name: str(found[name].status) for name in ("zero_grad", "beats", "objective")}
    assert got == {"zero_grad": "passed", "beats": "failed", "objective": "passed"}


def test_decay_that_moves_weights_hides_no_gradients_that_were_set_to_zero() -> None:
    zeros = "        for p in model.parameters():\n            p.grad.zero_()\n"
    found = results(changed((BACKWARD, BACKWARD + zeros)), *LOOP)
    assert {k: r.bugs for k, r in found.items() if r.status != "passed"} == {
        "beats": ("zero_grad_after_backward",)
    }
    assert "no step used a gradient" in found["beats"].message


def test_two_bugs_are_both_named() -> None:
    changes = [*WRONG["missing_zero_grad"][1], *WRONG["softmax_before_cross_entropy"][1]]
    found = lost(changed(*changes), *LOOP)
    assert found["zero_grad"] == ("missing_zero_grad",)
    assert found["objective"] == ("softmax_before_cross_entropy",)


def test_a_stub_is_not_written_yet_and_nothing_is_passed() -> None:
    stub = changed(("    model.train()\n", "    raise NotImplementedError\n"))
    found = results(stub, *LOOP[:7])
    assert all(r.status != "passed" for r in found.values())
    assert "not written yet" in found["epoch_runs"].message


def test_a_name_of_the_handout_that_is_missing_is_named() -> None:
    found = results(PROGRAM.replace("train_one_epoch", "one_epoch"), "epoch_runs")
    assert found["epoch_runs"].bugs == ("missing_name",)


def test_a_loader_of_another_name_is_followed() -> None:
    assert lost(PROGRAM.replace("train_loader", "loader_a"), *LOOP) == {}


def test_a_percentage_is_recognised() -> None:
    found = results(changed(("return right /", "return 100 * right /")), "evaluate_accuracy")
    assert "in percent" in found["evaluate_accuracy"].message


ADAMW = "torch.optim.AdamW(model.parameters(), lr=1e-3)"
STATED = ("rate", "batch", "epochs")
THREE = "range(3)"
COSINE = "cycle = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 18)\n"
OPEN: dict[str, Changes] = {
    "another optimizer": ((ADAMW, "torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)"),),
    "one of its own": (
        (
            f"optimizer = {ADAMW}",
            (
                "class Descent(torch.optim.Optimizer):\n"
                "    def __init__(self, params):\n        super().__init__(params, {'lr': 0.2})\n"
                "    @torch.no_grad()\n    def step(self, closure=None):\n"
                "        for g in self.param_groups:\n            for p in g['params']:\n"
                "                p -= g['lr'] * p.grad\n"
                "optimizer = Descent(model.parameters())"
            ),
        ),
    ),
    "a rate near by": (("lr=1e-3", "lr=2e-3"),),
    "no decay of the biases": (
        (
            ADAMW,
            (
                "torch.optim.AdamW([{'params': [p for p in model.parameters() if p.ndim > 1]}, "
                "{'params': [p for p in model.parameters() if p.ndim == 1], 'weight_decay': 0.0}], "
                "lr=1e-3)"
            ),
        ),
    ),
    "a rate for each layer": (
        (
            ADAMW,
            (
                "torch.optim.AdamW([{'params': model.fc1.parameters()}, "
                "{'params': model.fc2.parameters(), 'lr': 1e-2}], lr=1e-3)"
            ),
        ),
    ),
    "a cosine from 1e-2": (
        ("lr=1e-3", "lr=1e-2"),
        (BEST, COSINE + BEST),
        (STEP, STEP + "        cycle.step()\n"),
    ),
    "one cycle up to 1e-2": ((BEST, CYCLE + BEST), (STEP, STEP + "        cycle.step()\n")),
    "two halves of a batch": (
        ("batch_size=128", "batch_size=128, drop_last=True"),
        (
            f"        loss = {LOSS}\n{BACKWARD}",
            (
                "        loss = 0.0\n"
                "        for part in (slice(0, 64), slice(64, 128)):\n"
                "            half = criterion(model(x[part]), y[part]) / 2\n"
                "            scaler.scale(half).backward()\n            loss += half.detach()\n"
            ),
        ),
    ),
    "an epoch tried out before": ((BEST, "print(train_one_epoch())\n" + BEST),),
    "two epochs tried out before": ((BEST, "train_one_epoch()\ntrain_one_epoch()\n" + BEST),),
    "an epoch tried out and measured": ((BEST, "train_one_epoch()\nevaluate()\n" + BEST),),
    "a part held back": (
        (
            "train_loader = DataLoader(train_set,",
            (
                "train_set, held_back = torch.utils.data.random_split(train_set, [0.9, 0.1])\n"
                "train_loader = DataLoader(train_set,"
            ),
        ),
    ),
    "images changed at random": (
        (
            "        optimizer.zero_grad()\n",
            "        x = x + 0.05 * torch.rand_like(x)\n" + ZERO[0],
        ),
    ),
}
NOT_AS_STATED: dict[str, tuple[str, str, Changes]] = {
    "a rate of one": ("rate", "lr_too_high", (("lr=1e-3", "lr=1.0"),)),
    "a rate ten times too high": ("rate", "lr_too_high", (("lr=1e-3", "lr=1e-2"),)),
    "a rate a hundred times too low": ("rate", "lr_too_low", (("lr=1e-3", "lr=1e-5"),)),
    "a rate of one, of Adam": (
        "rate",
        "lr_too_high",
        (("AdamW(model.parameters(), lr=1e-3)", "Adam(model.parameters(), lr=1.0)"),),
    ),
    "a rate of one that fades": (
        "rate",
        "lr_too_high",
        (
            ("lr=1e-3", "lr=1.0"),
            (BEST, COSINE + BEST),
            (STEP, STEP + "        cycle.step()\n"),
        ),
    ),
    "a rate of one in a loop that never clears": (
        "rate",
        "lr_too_high",
        (("lr=1e-3", "lr=1.0"), ZERO),
    ),
    "SGD that never gets anywhere": (
        "rate",
        "lr_too_low",
        ((ADAMW, "torch.optim.SGD(model.parameters(), lr=1e-5)"),),
    ),
    "SGD that goes wild": (
        "rate",
        "lr_too_high",
        ((ADAMW, "torch.optim.SGD(model.parameters(), lr=50.0)"),),
    ),
    "one epoch": ("epochs", "wrong_value", ((THREE, "range(1)"),)),
    "two epochs": ("epochs", "wrong_value", ((THREE, "range(2)"),)),
    "ten epochs": ("epochs", "wrong_value", ((THREE, "range(10)"),)),
    "large batches": ("batch", "wrong_value", (("batch_size=128", "batch_size=350"),)),
    "small batches of another loader": (
        "batch",
        "wrong_value",
        (("in train_loader:", "in DataLoader(train_set, 16, shuffle=True):"),),
    ),
}


@pytest.mark.parametrize("style", OPEN)
def test_what_the_handout_leaves_open_costs_nothing(style: str) -> None:
    found = results(changed(*OPEN[style]), *STATED)
    assert {k: r.message for k, r in found.items() if r.status != "passed"} == {}


@pytest.mark.parametrize("case", NOT_AS_STATED)
def test_what_the_handout_states_is_asked_of_the_run(case: str) -> None:
    check, bug, changes = NOT_AS_STATED[case]
    found = results(changed(*changes), *STATED)
    assert {k: r.bugs for k, r in found.items() if r.status != "passed"} == {check: (bug,)}, {
        k: r.message for k, r in found.items()
    }


HOOKED = "seen = []\nmodel.fc2.register_forward_hook(lambda m, i, o: seen.append(o{}))\n"
LET_GO: dict[str, Changes] = {
    "as it is": (),
    "detached losses in a list": (
        ("total = 0.0", "total, losses = 0.0, []"),
        (STEP, STEP + "        losses.append(loss.detach())\n"),
    ),
    "a sum of two losses": (
        (f"loss = {LOSS}", ("a, b = x[::2], x[1::2]\n        n = len(a) / len(x)\n"
         "        loss = n * criterion(model(a), y[::2])\n"
         "        loss = loss + (1 - n) * criterion(model(b), y[1::2])")),
    ),
    "answers looked at before the training": (
        (HEAD, "looks = [model(torch.rand(4, 1, 28, 28, device=device)) for _ in range(5)]\n"
         + HEAD),
    ),
    "detached outputs of a hook": held(HOOKED.format(".detach()")),
    "two names for one loss": (
        (STEP, STEP + "        last, answers = loss, model(x)\n"),
    ),
}  # fmt: skip
KEPT: dict[str, Changes] = {
    "a tensor's sum": (("total += loss.item() * len(y)", "total += loss * len(y)"),),
    "losses in a list": (
        ("total = 0.0", "total, losses = 0.0, []"),
        (STEP, STEP + "        losses.append(loss)\n"),
    ),
    "losses of all epochs in a global list": (
        (HEAD, "losses = []\n" + HEAD),
        (STEP, STEP + "        losses.append(loss)\n"),
    ),
    "outputs of a hook": held(HOOKED.format("")),
    "losses in a dictionary of the model": (
        (HEAD, "model.history = {}\n" + HEAD),
        (STEP, STEP + "        model.history[len(model.history)] = loss\n"),
    ),
    "the last ten losses": (
        (HEAD, "from collections import deque\nlosses = deque(maxlen=10)\n" + HEAD),
        (STEP, STEP + "        losses.append(loss)\n"),
    ),
    "in a loop without a step": (
        ("total += loss.item() * len(y)", "total += loss * len(y)"),
        (STEP, ""),
    ),
}


@pytest.mark.parametrize("style", LET_GO)
def test_graphs_that_are_let_go_cost_nothing(style: str) -> None:
    found = results(changed(*LET_GO[style]), "graphs")
    assert found["graphs"].status == "passed", found["graphs"].message


@pytest.mark.parametrize("case", KEPT)
def test_graphs_that_are_kept_are_named(case: str) -> None:
    assert lost(changed(*KEPT[case]), "graphs") == {"graphs": ("loss_graph_accumulated",)}


@pytest.mark.parametrize(
    ("loss", "bugs"),
    [
        (LOSS, ()),
        ("F.nll_loss(F.log_softmax(model(x), 1), y)", ()),
        ("nn.NLLLoss()(model(x).log_softmax(1), y)", ()),
        ("criterion(model(x).softmax(1), y)", ("softmax_before_cross_entropy",)),
        ("F.nll_loss(model(x).softmax(1), y)", ("softmax_into_nll",)),
    ],
)
def test_what_would_be_differentiated_is_judged_though_nothing_is(
    loss: str, bugs: tuple[str, ...]
) -> None:
    """Whether the answers have a name makes no difference."""
    named = ("        answers = model(x)\n        loss = ", loss.replace("model(x)", "answers"))
    for source in (f"        loss = {loss}", "".join(named)):
        changes = ((f"        loss = {LOSS}", source), (BACKWARD, ""))
        head = ("import random\n", "import random\nfrom torch.nn import functional as F\n")
        found = results(changed(head, *changes), "objective")["objective"]
        assert (found.status == "passed", found.bugs) == (not bugs, bugs), found.message


READ = "    return TensorDataset(data.data[:, None] / 255.0, data.targets)\n"
SET = "datasets.FashionMNIST('data', train={}).data / 255.0"
BOTH = f"both = torch.cat([{SET.format(True)}, {SET.format(False)}])\n"
OURS = f"ours = {SET.format(True)}\n"
PIXELS = "(data.data[:, None] / 255.0)"
SETS = "train_set, test_set = read(True), read(False)\n"


def prepared_by(before: str, expression: str) -> Changes:
    """The program with its images prepared as `(x - m) / s` says."""
    found = READ.replace(
        "data.data[:, None] / 255.0", expression.replace("x", "(data.data[:, None] / 255.0)")
    )
    return ((READ, found), (SETS, before + SETS))


APART: dict[str, Changes] = {
    "as it is": (),
    "constants": prepared_by("", "(x - 0.286) / 0.353"),
    "the training images' mean": prepared_by(OURS, "(x - ours.mean()) / ours.std()"),
    "of each pixel": prepared_by(OURS, "(x - ours.mean(0)) / (ours.std(0) + 0.1)"),
    "each set by its own": prepared_by("", "(x - x.mean()) / x.std()"),
    "the training and the test set in two ways": prepared_by("", "x if train else 2 * x - 1"),
    "each image by its own": prepared_by("", "x - x.mean((2, 3), keepdim=True)"),
    "changed at random": (
        (
            "        optimizer.zero_grad()\n",
            "        x = x + 0.05 * torch.rand_like(x)\n" + ZERO[0],
        ),
    ),
}
TOGETHER: dict[str, Changes] = {
    "mean and deviation": prepared_by(BOTH, "(x - both.mean()) / both.std()"),
    "the mean alone": prepared_by(BOTH, "x - both.mean()"),
    "of each pixel": prepared_by(BOTH, "(x - both.mean(0)) / (both.std(0) + 0.1)"),
    "in the loop": (
        (SETS, BOTH + SETS),
        (
            "        optimizer.zero_grad()\n",
            "        x = (x - both.mean()) / both.std()\n" + ZERO[0],
        ),
    ),
    "of the test set only": prepared_by(BOTH, "(x - both[-300:].mean()) / both[-300:].std()"),
}


@pytest.mark.parametrize("style", APART)
def test_statistics_of_the_training_images_cost_nothing(style: str) -> None:
    assert lost(changed(*APART[style]), "statistics") == {}


@pytest.mark.parametrize("case", TOGETHER)
def test_statistics_of_the_test_images_are_named(case: str) -> None:
    assert lost(changed(*TOGETHER[case]), "statistics") == {"statistics": ("stats_leakage",)}
