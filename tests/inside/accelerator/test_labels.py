"""What a GPU accepts, the simulated accelerator accepts, in any style."""

from __future__ import annotations

import copy
import os
import textwrap
import threading

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from autograder.inside.accelerator import simulation
from tests.simulated import Perceptron, ledger

__all__ = ["ledger"]  # a fixture


STYLES = {
    "numbers": """
        x = torch.ones(2, 3, device="cuda")
        assert (torch.tensor(2.0) * x + 1 - torch.tensor(1)).sum().item() == 12
        assert (x > torch.tensor(0.5)).all() and torch.where(x > 0, x, torch.tensor(0.0)).sum() == 6
        x[0] = torch.tensor(5.0); x[x > 4] = torch.tensor(3.0); x.mul_(torch.tensor(2.0))
        assert x.tolist() == [[6.0] * 3, [2.0] * 3]
        assert torch.where(x > 4, 1, 0).sum() == 3 and x.clamp(max=torch.tensor(3.0)).sum() == 15
    """,
    "indices": """
        x = torch.arange(12.0, device="cuda").reshape(3, 4)
        assert x[torch.tensor([0, 2])].shape == (2, 4)
        assert x[torch.tensor([True, False, True])].sum() == 44
        assert x[1, 2] == 6 and x[-1, ::2].tolist() == [8.0, 10.0]
        assert x[..., None].shape == (3, 4, 1)
        x[torch.tensor([0])] = 0; x[:, 0] = torch.ones(3)  # a copy into a slice may cross
        assert x[0].tolist() == [1.0, 0.0, 0.0, 0.0] and len(x) == 3
        assert [len(r) for r in x] == [4] * 3
    """,
    "views": """
        x = torch.zeros(2, 3, device="cuda"); row = x[0]; flat = x.view(-1); row += 1; flat[-1] = 9
        assert x.tolist() == [[1.0, 1.0, 1.0], [0.0, 0.0, 9.0]] and x.t().shape == (3, 2)
        x.unsqueeze_(0).resize_(1, 2, 3); assert x.squeeze().permute(1, 0).contiguous()[2, 1] == 9
        assert x.expand(2, 2, 3).sum() == 24 and x.chunk(2, 1)[1].sum() == 9
        out = torch.empty(0, device="cuda"); torch.add(x, 1, out=out)
        assert out.shape == (1, 2, 3) and out.sum() == 18
    """,
    "factories": """
        for make in (torch.zeros, torch.ones, torch.rand, torch.randn, torch.empty):
            for device in ("cuda", "cuda:0", torch.device("cuda"), torch.device("cuda", 0)):
                assert make(2, 3, device=device).is_cuda
        assert torch.arange(5, device="cuda").sum() == 10
        assert torch.eye(3, device="cuda").trace() == 3
        assert torch.full((2,), 7, device="cuda").tolist() == [7, 7]
        assert sorted(torch.randperm(5, device="cuda").tolist()) == list(range(5))
        assert torch.linspace(0, 1, 3, device="cuda").tolist() == [0.0, 0.5, 1.0]
        assert torch.tensor([[1, 2]], device="cuda").dtype is torch.int64
        assert torch.as_tensor([1.0], device="cuda").is_cuda
        assert torch.zeros(3).new_ones(2, device="cuda").sum() == 2
        x = torch.ones(2, device="cuda"); assert torch.zeros_like(x).device == x.device
        assert x.new_zeros(4).is_cuda and x.new_tensor([1, 2]).is_cuda
        assert torch.ones_like(x, device="cpu").device.type == "cpu"
        assert nn.Linear(2, 2, device="cuda").weight.is_cuda
        assert torch.tril(torch.ones(2, 2, device="cuda")).sum() == 3
        assert torch.randint(0, 3, (4,), device="cuda").max() < 3
        assert torch.tril_indices(2, 2, device="cuda").is_cuda
    """,
    "default device": """
        torch.set_default_device("cuda")
        try:
            net = nn.Linear(3, 2); x = torch.tensor([[1.0, 2.0, 3.0]])
            assert net.weight.is_cuda and x.is_cuda and net(x).is_cuda and torch.zeros(2).is_cuda
            assert torch.zeros(2, device="cpu").device.type == "cpu"
            net(x).sum().backward(); torch.optim.Adam(net.parameters()).step()
        finally:
            torch.set_default_device(None)
        assert torch.zeros(1).device.type == "cpu"
        with torch.device("cuda"):
            assert nn.Linear(2, 2).weight.is_cuda and torch.tensor(1.0).is_cuda
    """,
    "moving": """
        x = torch.ones(2); y = x.to("cuda"); z = y.to(torch.device("cuda"))
        assert y is z and x.device.type == "cpu" and y.cuda() is y and y.to(0).is_cuda
        assert y.to("cuda:0", non_blocking=True, copy=True) is not y
        assert y.to("cuda", torch.float64).dtype is torch.float64
        assert y.to(x).device.type == "cpu" and x.to(y).is_cuda and y.cpu().numpy().sum() == 2
        assert y.to("cpu", non_blocking=True).device.type == "cpu"
        assert y.to(torch.float16).is_cuda and y.half().is_cuda
        assert x.pin_memory().is_pinned() and not x.is_pinned() and y.type(torch.float64).is_cuda
        assert y.type() == "torch.cuda.FloatTensor" and y.numpy(force=True).sum() == 2
        assert y.get_device() == 0
        assert x.cuda(0).is_cuda and x.cuda("cuda").is_cuda and x.cuda(non_blocking=True).is_cuda
        assert torch.zeros(2, pin_memory=True).is_pinned()
    """,
    "a model moves in place": """
        net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)); before = list(net.parameters())
        net(torch.randn(4, 3)).sum().backward()
        kept = net(torch.randn(4, 3))  # its graph holds the weights while they move
        assert net.to("cuda") is net and all(a is b for a, b in zip(before, net.parameters()))
        assert all(type(p) is nn.Parameter and p.is_cuda for p in before)
        assert all(p.requires_grad and p.is_leaf for p in before)
        assert all(p.grad.is_cuda for p in before) and net[1].running_mean.is_cuda
        assert net.cpu()[0].weight is before[0] and not before[0].is_cuda
        assert before[0].grad.device.type == "cpu"
        net.cuda(0); net.to(0); net.to(device="cuda", dtype=torch.float64)
        assert net[0].weight.dtype is torch.float64
        p = nn.Parameter(torch.ones(2)); p.data = p.data.to("cuda")
        assert p.is_cuda and p.requires_grad
        with torch.no_grad(): p.data = torch.zeros(2)
        assert not p.is_cuda and p.tolist() == [0.0, 0.0]
    """,
    "autograd": """
        x = torch.tensor([2.0, 3.0], device="cuda", requires_grad=True)
        (g,) = torch.autograd.grad((x ** 3).sum(), x, create_graph=True)
        assert g.tolist() == [12.0, 27.0]
        g.sum().backward(); assert x.grad.tolist() == [12.0, 18.0] and x.grad.is_cuda and x.is_leaf
        x.grad = None; seen = []; h = (x * 2); h.retain_grad(); h.register_hook(seen.append)
        h.sum().backward()
        assert h.grad.tolist() == [1.0, 1.0] and seen[0].is_cuda and x.grad.tolist() == [2.0, 2.0]
        with torch.no_grad(): assert not (x * 2).requires_grad; x.sub_(1); x.grad.zero_()
        y = torch.ones(2, requires_grad=True); (y.to("cuda") * x.detach()).sum().backward()
        assert y.grad.device.type == "cpu" and y.grad.tolist() == [1.0, 2.0]
        with torch.inference_mode(): z = x * 2
        assert z.is_inference() and z.is_cuda and (z + 1).tolist() == [3.0, 5.0]
        from torch.utils.checkpoint import checkpoint
        checkpoint(nn.Linear(2, 2).cuda(), x, use_reentrant=False).sum().backward()
    """,
    "looking at it": """
        x = torch.tensor([[1.5, 2.0]], device="cuda")
        assert repr(x) == "tensor([[1.5000, 2.0000]], device='cuda:0')"
        assert f"{x[0, 0]:.2f}" == "1.50"
        assert bool(x[0, 0] == 1.5) and float(x[0, 1]) == 2 and int(x[0, 1]) == 2
        assert x.device == torch.device("cuda", 0) and x.device.type == "cuda" and x.is_cuda
        assert not x.is_meta and not x.is_cpu
        assert "cuda:0" in repr(nn.Linear(1, 1).cuda().weight) and x.max().item() == 2
        assert x.argmax() == 1
        assert isinstance(x, torch.Tensor) and type(x) is torch.Tensor and x.data_ptr() != 0
        assert x.nbytes == 8
        assert "grad_fn" in str(x.clone().requires_grad_() * 2) and torch.equal(x, x.clone())
        assert torch.allclose(x, x + 1e-9) and x.isnan().sum() == 0
    """,
    "asking torch.cuda": """
        assert torch.cuda.is_available() and torch.cuda.device_count() == 1
        assert torch.cuda.current_device() == 0
        assert torch.cuda.get_device_name(0)
        assert torch.cuda.get_device_properties(0).total_memory > 1e9
        assert torch.cuda.is_bf16_supported() and torch.cuda.get_device_capability() >= (7, 0)
        torch.cuda.synchronize(); torch.cuda.empty_cache(); torch.cuda.manual_seed(0)
        torch.cuda.manual_seed_all(0)
        torch.manual_seed(0); torch.cuda.set_device(0); torch.cuda.reset_peak_memory_stats()
        torch.backends.cudnn.deterministic = True; torch.backends.cudnn.benchmark = False
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2)); start.record()
        end.record()
        assert start.elapsed_time(end) >= 0
        with torch.cuda.stream(torch.cuda.Stream()): pass
        if hasattr(torch, "accelerator"):
            assert torch.accelerator.is_available()
            assert torch.accelerator.current_accelerator().type == "cuda"
        torch.cuda.set_rng_state_all(torch.cuda.get_rng_state_all())
        g = torch.Generator(device="cuda").manual_seed(3)
        assert g.device.type == "cuda" and isinstance(g, torch.Generator)
        a = torch.rand(3, device="cuda", generator=g); g.manual_seed(3)
        assert torch.equal(a, torch.rand(3, device="cuda", generator=g))
    """,
    "compiled": """
        net = torch.compile(nn.Linear(2, 2).cuda())
        assert net(torch.ones(1, 2, device="cuda")).is_cuda
        assert "_orig_mod.weight" in net.state_dict()
    """,
    "copies": """
        net = nn.Linear(2, 2).to("cuda"); twin = copy.deepcopy(net)
        best = copy.deepcopy(net.state_dict())
        with torch.no_grad(): net.weight.zero_()
        assert twin.weight.abs().sum() > 0 and twin.weight.is_cuda
        assert type(twin.weight) is nn.Parameter
        net.load_state_dict(best); assert torch.equal(net.weight, twin.weight)
        best = {k: v.clone().cpu() for k, v in net.state_dict().items()}; twin.load_state_dict(best)
        opt = torch.optim.Adam(net.parameters()); net(torch.ones(1, 2).cuda()).sum().backward()
        opt.step()
        state = copy.deepcopy(opt.state_dict()); opt.load_state_dict(state); opt.step()
        x = torch.ones(2, device="cuda"); assert copy.deepcopy(x).is_cuda and copy.copy(x).is_cuda
    """,
    "losses": """
        a, b = torch.rand(4, 3, device="cuda"), torch.rand(4, 3).to("cuda")
        k = torch.tensor([0, 1, 2, 0]).to("cuda")
        for loss in (nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss, nn.BCELoss):
            assert loss()(a, b).is_cuda
        assert nn.BCEWithLogitsLoss()(a, b).is_cuda
        weighted = nn.CrossEntropyLoss(label_smoothing=0.1, weight=torch.ones(3).cuda())
        assert weighted(a, k).item() > 0
        assert nn.NLLLoss()(a.log_softmax(1), k) > 0
        assert nn.KLDivLoss(reduction="batchmean")(a.log(), b).is_cuda
        assert F.one_hot(k, 3).sum() == 4 and (a.argmax(1) == k).float().mean().item() <= 1
        assert a.topk(2)[1].shape == (4, 2)
        total = 0.0; total += F.mse_loss(a, b) * len(a)
        assert total.is_cuda  # a number takes the device's side
    """,
}  # fmt: skip


@pytest.mark.parametrize("style", STYLES)
def test_correct_code_passes(style: str, ledger: simulation.Ledger) -> None:
    exec(textwrap.dedent(STYLES[style]), {"torch": torch, "nn": nn, "F": F, "copy": copy})
    assert not ledger.mixes
    assert not ledger.unsupported


@pytest.mark.parametrize("workers", [0, 1])
def test_a_loader_pins_its_batches(workers: int, ledger: simulation.Ledger) -> None:
    dataset = torch.utils.data.TensorDataset(torch.arange(4.0), torch.arange(4))
    loader = torch.utils.data.DataLoader(dataset, 2, pin_memory=True, num_workers=workers)
    batches = [(x.is_pinned(), x.to("cuda").sum().item()) for x, _ in loader]
    assert batches == [(True, 1.0), (True, 5.0)]


def test_memory_is_counted(ledger: simulation.Ledger) -> None:
    before = torch.cuda.memory_allocated()
    x = torch.zeros(1024, 1024, device="cuda")
    x.add_(1)
    y = x[:, :10]
    assert torch.cuda.memory_allocated() - before == 4 * 2**20
    del x
    assert torch.cuda.memory_allocated() - before == 4 * 2**20
    assert y.sum() == 10240
    del y
    assert torch.cuda.memory_allocated() == before
    assert torch.cuda.max_memory_allocated() >= 4 * 2**20
    torch.cuda.reset_peak_memory_stats()
    assert torch.cuda.max_memory_allocated() == before


def test_a_fork_of_the_program_trains_on(ledger: simulation.Ledger) -> None:
    model = Perceptron().cuda()
    model(torch.randn(4, 16, device="cuda")).sum().backward()
    pid = os.fork()
    if pid == 0:
        try:
            model(torch.randn(4, 16, device="cuda")).sum().backward()
            grads = [p.grad for p in model.parameters()]
            os._exit(0 if all(g is not None and g.is_cuda for g in grads) else 2)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_another_thread_is_on_the_same_machine(ledger: simulation.Ledger) -> None:
    seen: list[float] = []

    def work() -> None:
        x = torch.ones(3).to("cuda").requires_grad_()
        x.pow(2).sum().backward()  # type: ignore[no-untyped-call]
        assert x.grad is not None
        seen.append(x.grad.sum().item())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [6.0]
