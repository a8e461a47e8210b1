"""Device placement on a machine that only seems to have an accelerator."""

from __future__ import annotations

import pytest

from tests.lab import changed, results

MOVE = "        x, y = x.to(device), y.to(device)\n"
CHOICE = 'torch.device("cuda" if torch.cuda.is_available() else "cpu")'


@pytest.mark.parametrize(
    "changes",
    [
        (),
        ((CHOICE, '"cuda" if torch.cuda.is_available() else "cpu"'), ("device.type", "device")),
        (("MLP().to(device)", "MLP()\nmodel.to(device)"),),
        ((MOVE, "        x = x.to(device, non_blocking=True)\n        y = y.to(device)\n"),),
        (("MLP().to(device)", "MLP().cuda() if torch.cuda.is_available() else MLP()"),),
    ],
)  # fmt: skip
def test_a_program_that_moves_everything_passes(changes: tuple[tuple[str, str], ...]) -> None:
    found = results(changed(*changes), "device")["device"]
    assert (found.status, found.message) == ("passed", "")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ((("MLP().to(device)", "MLP()"),), "same device"),
        (((MOVE + "        optimizer", "        optimizer"),), "same device"),
        (((MOVE + "        right", "        right"),), "same device"),
        (((MOVE + "        optimizer", "        x = x.to(device)\n        optimizer"),), "device"),
        (((CHOICE, 'torch.device("cpu")'),), "still on the CPU"),
    ],
)
def test_what_was_left_on_the_cpu_is_named(
    changes: tuple[tuple[str, str], ...], words: str
) -> None:
    found = results(changed(*changes), "device")["device"]
    assert found.bugs == ("wrong_device",)
    assert words in found.message


def test_what_the_simulation_cannot_do_accuses_nobody() -> None:
    beyond = "    if device.type == 'cuda':\n        torch.cuda.CUDAGraph()\n    model.train()\n"
    source = changed(("    model.train()\n", beyond))
    found = results(source, "device")["device"]
    assert found.status == "passed"
    assert "not exercised" in found.message


def test_an_error_of_another_kind_is_no_device_bug() -> None:
    after = results(changed(("best_acc = 0.0\n", "oops\n")), "device")["device"]
    assert (after.status, after.bugs) == ("passed", ())  # the functions are driven all the same
    before = results(changed(("model = MLP()", "oops\nmodel = MLP()")), "device")["device"]
    assert (before.status, before.bugs) == ("error", ())
