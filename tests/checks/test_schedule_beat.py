"""`train_epoch` in many styles: where the schedule moves, and whether the beats still stand."""

from __future__ import annotations

import pytest

from tests.lab_08 import lost, report, results, task

CHECKS = task("schedule_")

PLAIN = """
def train_epoch(model, dataloader, loss_fn, optimizer, scheduler, per_batch):
    rates = []
    for x, y in dataloader:
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        if per_batch:
            scheduler.step()
    if not per_batch:
        scheduler.step()
    return rates
"""
BATCH = "        if per_batch:\n            scheduler.step()\n"
EPOCH = "    if not per_batch:\n        scheduler.step()\n"
HEAD = "    rates = []\n"
ZERO = "        optimizer.zero_grad()\n"
STEP = "        optimizer.step()\n"
MOVE = "        scheduler.step()\n"
RATE = "        rates.append(optimizer.param_groups[0]['lr'])\n"
BY_HAND = (
    "        with torch.no_grad():\n            for p in model.parameters():\n"
    "                p -= optimizer.param_groups[0]['lr'] * p.grad\n"
)
OWN = "        torch.optim.SGD(model.parameters(), lr=optimizer.param_groups[0]['lr']).step()\n"
KEEP = "        kept = {k: v.clone() for k, v in model.state_dict().items()}\n"
BACK = "        model.load_state_dict(kept)\n"
Change = tuple[tuple[str, str], ...]
Lost = dict[str, tuple[str, ...]]
RIGHT: dict[str, Change] = {
    "plain": (),
    "asked of the schedule": (("optimizer.param_groups[0]['lr']", "scheduler.get_last_lr()[0]"),),
    "at the top of the next epoch's end": (
        (BATCH, ""),
        (ZERO, "        if per_batch and rates:\n    " + MOVE + ZERO),
        (EPOCH, "    scheduler.step()\n"),
    ),
    "counted": (
        (BATCH, "        if per_batch or len(rates) == len(dataloader):\n    " + MOVE),
        (EPOCH, ""),
    ),
    "a tensor": (("return rates", "return torch.tensor(rates, dtype=torch.float64)"),),
    "by hand": (
        (STEP, BY_HAND),
    ),
    "moved in a finally": (
        (EPOCH, "    try:\n        return rates\n    finally:\n" + EPOCH.replace("    ", 8 * " ")),
    ),
}  # fmt: skip
ORDER: Lost = {"schedule_order": ("scheduler_order",)}
WRONG: dict[str, tuple[Change, dict[str, tuple[str, ...]]]] = {
    "every batch": (((BATCH, MOVE), (EPOCH, "")), ORDER),
    "every epoch": (((BATCH, ""), (EPOCH, "    scheduler.step()\n")), ORDER),
    "never": (((BATCH, ""), (EPOCH, "")), ORDER),
    "both": (((BATCH, MOVE), (EPOCH, "    scheduler.step()\n")), ORDER),
    "the other way round": (
        (("if per_", "if so_"), ("if not per", "if per"), ("if so_", "if not per_")),
        ORDER,
    ),
    "before the step": (
        ((BATCH, ""),
         (STEP, BATCH + "        rates[-1] = optimizer.param_groups[0]['lr']\n" + STEP)),
        ORDER,
    ),
    "before the epoch": (((EPOCH, ""), (HEAD, HEAD + EPOCH)), ORDER),
    "no zero": (((ZERO, ""),),
                {"schedule_beats": ("missing_zero_grad",)}),
    "no zero, every batch": (
        ((ZERO, ""), (BATCH, MOVE), (EPOCH, "")),
        {"schedule_beats": ("missing_zero_grad",), **ORDER},
    ),
    "sum": ((("loss.backward()", "(loss * len(y)).backward()"),),
            {"schedule_beats": ("sum_instead_of_mean",)}),
    "rates after the schedule": (
        ((RATE, ""), (BATCH, BATCH + RATE)),
        {"schedule_rates": ("wrong_value",)},
    ),
    "no list": ((("return rates", "return rates[0]"),), {"schedule_rates": ("wrong_value",)}),
    "one rate an epoch": ((("return rates", "return rates[:1]"),),
                          {"schedule_rates": ("wrong_value",)}),
    "no step": (
        ((STEP, ""),),
        {"schedule_beats": ("missing_step",), "schedule_order": ()},
    ),
    "an optimizer of its own, made for each batch": (
        ((STEP, OWN),),
        {"schedule_beats": ()},
    ),
    "weights put back": (
        ((ZERO, ZERO + KEEP), (STEP, STEP + BACK)),
        {"schedule_beats": ()},
    ),
    "cleared before the step": (
        ((STEP, ""),
         ("        loss.backward()\n", "        loss.backward()\n" + ZERO + STEP)),
        {"schedule_beats": ("zero_grad_after_backward",), "schedule_order": ()},
    ),
}  # fmt: skip


def changed(changes: Change) -> str:
    source = PLAIN
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    return source


@pytest.mark.parametrize("style", RIGHT)
def test_a_correct_style_loses_nothing(style: str) -> None:
    source = changed(RIGHT[style])
    assert not lost(source, *CHECKS), report(source, *CHECKS)


@pytest.mark.parametrize("case", WRONG)
def test_bugs_are_named(case: str) -> None:
    changes, expected = WRONG[case]
    source = changed(changes)
    assert lost(source, *CHECKS) == expected, report(source, *CHECKS)


def test_the_message_names_epoch_batch_and_rates() -> None:
    source = changed(WRONG["every batch"][0])
    message = results(source, *CHECKS)["schedule_order"].message
    assert "a schedule that counts epochs was moved at the other's pace" in message
    assert "the rate of epoch 1, batch 2 was" in message


def test_a_rate_of_ones_own_costs_the_order_and_not_the_beats() -> None:
    source = changed(((STEP, "        optimizer.param_groups[0]['lr'] *= 0.9\n" + STEP),))
    found = results(source, *CHECKS)
    assert found["schedule_order"].bugs == ("scheduler_order",)
    assert found["schedule_beats"].status == "passed"
