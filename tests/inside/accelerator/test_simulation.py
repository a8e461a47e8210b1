"""The simulated accelerator gives the CPU's numbers, knows its limits, and leaves no trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from autograder.inside.accelerator import kernels, labels, simulation
from tests.simulated import OPTIMIZERS, Perceptron, five_beats, ledger, twice

__all__ = ["ledger"]  # a fixture


def assert_same(plain: Any, simulated: Any) -> None:
    assert plain[:2] == simulated[:2]
    assert all(torch.equal(v, simulated[2][k]) for k, v in plain[2].items())


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("late", [False, True], ids=["model_first", "optimizer_first"])
def test_the_loop_gives_the_cpus_numbers_to_the_bit(optimizer: str, late: bool) -> None:
    plain, simulated, ledger = twice(lambda device: five_beats(device, optimizer, late=late))
    assert_same(plain, simulated)
    assert ledger.ops > 100
    assert ledger.moved > 10
    assert not ledger.mixes
    assert not ledger.unsupported


@pytest.mark.parametrize("clip", [False, True])
def test_a_grad_scaler_changes_nothing_in_float32(clip: bool) -> None:
    plain, simulated, _ = twice(lambda device: five_beats(device, scaler=True, clip=clip))
    assert_same(plain, simulated)


def mixed_precision(device: str, dtype: torch.dtype | None, legacy: bool) -> list[float]:
    torch.manual_seed(1)
    x, y = torch.randn(32, 16).to(device), torch.randint(0, 5, (32,)).to(device)
    model = Perceptron(norm=False).to(device).eval()  # no dropout: its mask is not the point
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler: Any = torch.amp.GradScaler(device, enabled=dtype is torch.float16)
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        if legacy and dtype is not None:
            with pytest.warns(FutureWarning):
                context: Any = torch.cuda.amp.autocast(dtype=dtype)
        else:
            context = torch.autocast(device, dtype=dtype, enabled=dtype is not None)
        with context:
            logits = model(x)
            loss = F.cross_entropy(logits, y)
        assert logits.dtype is (dtype or torch.float32)
        assert loss.dtype is torch.float32
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        assert all(p.grad is not None and p.grad.dtype is torch.float32 for p in model.parameters())
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("legacy", [False, True], ids=["torch.autocast", "torch.cuda.amp"])
def test_autocast_computes_in_16_bits_and_stays_near_the_cpu(
    dtype: torch.dtype, legacy: bool
) -> None:
    plain = mixed_precision("cpu", None, False)
    with simulation.accelerator():
        simulated = mixed_precision("cuda", dtype, legacy)
    assert simulated != plain
    assert simulated == pytest.approx(plain, rel=0.02)
    assert simulated[-1] < simulated[0]


def test_autocast_also_holds_in_inference_mode_and_not_where_it_is_off(
    ledger: simulation.Ledger,
) -> None:
    model, x = nn.Linear(4, 3).cuda(), torch.ones(2, 4, device="cuda")
    with torch.autocast("cuda", dtype=torch.bfloat16):
        with torch.inference_mode():
            assert model(x).dtype is torch.bfloat16
            assert model(x).softmax(1).dtype is torch.float32
        with torch.autocast("cuda", enabled=False):
            assert model(x).dtype is torch.float32
        with pytest.raises(RuntimeError, match="unsafe to autocast"):
            F.binary_cross_entropy(torch.sigmoid(model(x)), torch.ones(2, 3, device="cuda"))
    assert model(x).dtype is torch.float32


def test_an_infinite_gradient_makes_the_scaler_skip_a_step(ledger: simulation.Ledger) -> None:
    model = nn.Linear(2, 1).cuda()
    before = model.weight.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    scaler = torch.amp.GradScaler("cuda")
    scaler.scale(model(torch.full((1, 2), float("inf"), device="cuda")).sum()).backward()
    scaler.step(optimizer)
    scaler.update()
    assert torch.equal(model.weight, before)
    assert scaler.get_scale() == 2.0**15


NETS: dict[str, Callable[[], tuple[nn.Module, torch.Tensor]]] = {
    "conv": lambda: (
        nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(4, 4, 3), nn.GELU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 3),
        ),
        torch.randn(6, 1, 8, 8),
    ),
    "embedding": lambda: (
        nn.Sequential(nn.Embedding(9, 4), nn.LayerNorm(4), nn.Flatten(), nn.Linear(20, 3)),
        torch.randint(0, 9, (6, 5)),
    ),
    "transformer": lambda: (
        nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), nn.Flatten(),
                      nn.Linear(40, 3)),
        torch.randn(6, 5, 8),
    ),
    "norms": lambda: (
        nn.Sequential(nn.Conv1d(2, 4, 3), nn.GroupNorm(2, 4), nn.SiLU(), nn.Flatten(),
                      nn.Linear(12, 3), nn.LogSoftmax(1)),
        torch.randn(6, 2, 5),
    ),
}  # fmt: skip


@pytest.mark.parametrize("net", NETS)
def test_layers_and_their_gradients_are_the_cpus(net: str) -> None:
    def run(device: str) -> list[torch.Tensor]:
        model, x = NETS[net]()
        model = model.to(device)
        out = model(x.to(device))
        F.cross_entropy(out, torch.arange(6, device=device) % 3).backward()  # type: ignore[no-untyped-call]
        return [
            out.detach().cpu(),
            *(p.grad.cpu() for p in model.parameters() if p.grad is not None),
        ]

    plain, simulated, _ = twice(run)
    assert len(plain) > 3
    assert all(torch.equal(a, b) for a, b in zip(plain, simulated, strict=True))


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_recurrent_layers_packed_or_not(kind: str) -> None:
    def run(device: str) -> list[torch.Tensor]:
        model = getattr(nn, kind)(3, 4, batch_first=True, num_layers=2).to(device)
        x = torch.randn(2, 5, 3).to(device)
        out, _ = model(x)
        packed = nn.utils.rnn.pack_padded_sequence(x, [5, 3], batch_first=True)
        padded, lengths = nn.utils.rnn.pad_packed_sequence(model(packed)[0], batch_first=True)
        assert lengths.device.type == "cpu"
        (out.sum() + padded.pow(2).sum()).backward()
        return [out.detach().cpu(), padded.detach().cpu(),
                *(p.grad.cpu() for p in model.parameters())]  # fmt: skip

    plain, simulated, _ = twice(run)
    # On the CPU alone PyTorch multiplies all steps' inputs at once: other rounding, same sums.
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(plain, simulated, strict=True))


def test_what_cannot_be_done_says_so(ledger: simulation.Ledger) -> None:
    x = torch.eye(3, device="cuda")
    for beyond in (
        x.to_sparse,
        torch.cuda.CUDAGraph,
        torch.cuda.memory_snapshot,
        lambda: torch.quantize_per_tensor(x, 0.1, 0, torch.qint8),
    ):
        with pytest.raises(simulation.UnsupportedOnSimulator) as caught:
            beyond()
        assert simulation.is_limit(caught.value)
    assert len(ledger.unsupported) == 4
    assert not ledger.mixes
    with pytest.raises(RuntimeError) as found:  # C++ asks for a device that is not there
        torch.device(0)
    assert simulation.is_limit(found.value)
    assert not simulation.is_limit(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not simulation.is_limit(RuntimeError("wrong metadata"))


def test_no_operator_is_left_to_compute_nothing() -> None:
    """Kernels of `meta` that stay must be those that look at no numbers."""
    simulation.prepare()
    has = torch._C._dispatch_has_kernel_for_dispatch_key
    ours = {f"aten::{o.name}" for o in kernels.table() if not o.native}
    left = {
        name
        for name in torch._C._dispatch_get_all_op_names()
        if name.startswith("aten::") and has(name, "Meta") and name not in ours
    }
    only_shapes = {
        "_unsafe_view", "_assert_tensor_metadata", "resize_", "lift", "is_same_size",
        "_resize_output_", "view_as_complex", "view_as_real", "transpose_", "as_strided",
        "new_empty", "_reshape_alias", "unsqueeze_", "new_empty_strided", "empty_strided", "t_",
        "empty", "set_", "empty_like", "view", "unfold",
    }  # fmt: skip
    assert {name[6:].partition(".")[0] for name in left} <= only_shapes


def test_other_errors_stay_what_they_are(ledger: simulation.Ledger) -> None:
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied") as caught:
        nn.Linear(3, 2).cuda()(torch.zeros(1, 4, device="cuda"))
    assert not simulation.is_limit(caught.value)
    with pytest.raises(IndexError, match="Target 7 is out of bounds"):
        F.cross_entropy(torch.zeros(1, 3, device="cuda"), torch.tensor([7], device="cuda"))
    x = torch.ones(2, device="cuda", requires_grad=True)
    y = x.exp()
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()  # type: ignore[no-untyped-call]
    assert not ledger.unsupported


def surroundings() -> dict[str, Any]:
    owners = (torch, torch.Tensor, torch.cuda, torch._C, torch._C._nn, torch.UntypedStorage,
              torch.serialization, torch.autocast, torch.backends.cudnn)  # fmt: skip
    found = {f"{o.__name__}.{k}": v for o in owners for k, v in vars(o).items()}
    found.update({f"accelerator.{k}": v for k, v in vars(torch.accelerator).items()})
    return {k: v for k, v in found.items() if "Triton" not in k and "__warningregistry" not in k}


def test_leaving_puts_everything_back() -> None:
    simulation.prepare()
    before = surroundings()

    def use_and_fail() -> None:
        with simulation.accelerator():
            assert surroundings() != before
            five_beats("cuda", scaler=True)
            with torch.autocast("cuda", dtype=torch.bfloat16):
                nn.Linear(2, 2).cuda()(torch.ones(1, 2, device="cuda"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use_and_fail()
    after = surroundings()
    assert after.keys() == before.keys()
    assert [k for k in before if before[k] is not after[k]] == []
    assert not torch.cuda.is_available()
    with pytest.raises((RuntimeError, AssertionError)):
        torch.zeros(1, device="cuda")
    with pytest.raises((RuntimeError, AssertionError)):
        torch.zeros(1).to("cuda")
    nothing = torch.ones(2, device="meta") + 1  # meta tensors compute nothing again
    assert nothing.device.type == "meta"
    with pytest.raises((RuntimeError, NotImplementedError)):
        nothing.tolist()
    with pytest.raises(NotImplementedError):
        nothing.to("cpu")
    with simulation.accelerator() as ledger:  # and again
        assert (torch.ones(2, device="cuda") + 1).tolist() == [2.0, 2.0]
        assert ledger.allocated >= 0


def test_one_simulation_at_a_time(ledger: simulation.Ledger) -> None:
    with (
        pytest.raises(simulation.UnsupportedOnSimulator, match="already on"),
        simulation.accelerator(),
    ):
        pass


def test_a_real_gpu_must_be_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with (
        pytest.raises(simulation.UnsupportedOnSimulator, match="CUDA_VISIBLE_DEVICES"),
        simulation.accelerator(),
    ):
        pass


def test_patches_go_back_last_first() -> None:
    class Owner:
        own = 1

    class Heir(Owner):
        pass

    patches = labels.Patches()
    for value in (2, 3):
        patches.set(Heir, "own", value)
        patches.set(Owner, "own", value)
    patches.undo()
    assert Owner.own == 1
    assert "own" not in vars(Heir)
