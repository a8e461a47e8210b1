"""What a GPU refuses, the simulated accelerator refuses in PyTorch's own words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from autograder.inside.accelerator import simulation
from tests.simulated import SAME, Perceptron, ledger

__all__ = ["ledger"]  # a fixture


def model_not_moved() -> Any:
    return Perceptron()(torch.randn(4, 16, device="cuda"))


def batch_not_moved() -> Any:
    return Perceptron().cuda()(torch.randn(4, 16))


def move_not_assigned() -> Any:
    x = torch.randn(4, 16)
    x.to("cuda")
    return Perceptron().cuda()(x)


def labels_not_moved() -> Any:
    logits = Perceptron().cuda()(torch.randn(4, 16, device="cuda"))
    return F.cross_entropy(logits, torch.zeros(4, dtype=torch.long))


def target_of_mse_not_moved() -> Any:
    return nn.MSELoss()(torch.randn(4, 1, device="cuda"), torch.zeros(4, 1))


def class_weights_not_moved() -> Any:
    loss = nn.CrossEntropyLoss(weight=torch.ones(5))
    return loss(torch.randn(4, 5, device="cuda"), torch.zeros(4, dtype=torch.long, device="cuda"))


def mask_made_in_forward() -> Any:
    return torch.randn(4, 5, device="cuda") * torch.ones(5)


def tensor_that_is_no_buffer() -> Any:
    class Shift(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.shift = torch.ones(16)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.shift

    return Shift().to("cuda")(torch.randn(4, 16, device="cuda"))


def modules_in_a_list() -> Any:
    class Listed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = [nn.Linear(4, 4)]

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = self.layers[0](x)
            return out

    return Listed().cuda()(torch.randn(4, 4, device="cuda"))


def sum_kept_on_the_cpu() -> Any:
    total = torch.zeros(3)
    total += torch.ones(3, device="cuda")
    return total


def number_kept_on_the_cpu_changed_in_place() -> Any:
    total = torch.zeros(())
    total += torch.ones((), device="cuda")
    return total


def predictions_compared_with_cpu_labels() -> Any:
    return torch.randn(4, 5, device="cuda").argmax(1) == torch.zeros(4)


def pieces_of_both_joined() -> Any:
    return torch.cat([torch.zeros(1, 2, device="cuda"), torch.zeros(1, 2)])


def embedding_of_cpu_words() -> Any:
    return nn.Embedding(5, 2).cuda()(torch.tensor([1, 2]))


def hidden_state_of_a_cell_made_on_the_cpu() -> Any:
    state, step = torch.zeros(2, 4), nn.Linear(7, 4).cuda()
    return step(torch.cat([torch.randn(2, 3, device="cuda"), state], dim=1))


def gathered_by_cpu_indices() -> Any:
    return torch.randn(2, 3, device="cuda").gather(1, torch.zeros(2, 1, dtype=torch.long))


def state_made_before_the_move() -> Any:
    model = Perceptron()
    optimizer = torch.optim.Adagrad(model.parameters())  # makes its state at once, on the CPU
    model.cuda()(torch.randn(4, 16).cuda()).sum().backward()
    optimizer.step()


MIXES = [
    state_made_before_the_move,
    model_not_moved, batch_not_moved, move_not_assigned, labels_not_moved, target_of_mse_not_moved,
    class_weights_not_moved, mask_made_in_forward, tensor_that_is_no_buffer, modules_in_a_list,
    sum_kept_on_the_cpu, number_kept_on_the_cpu_changed_in_place,
    predictions_compared_with_cpu_labels, pieces_of_both_joined, embedding_of_cpu_words,
    hidden_state_of_a_cell_made_on_the_cpu, gathered_by_cpu_indices,
]  # fmt: skip


@pytest.mark.parametrize("mix", MIXES, ids=lambda f: f.__name__)
def test_mixing_devices_raises_pytorchs_own_error(
    mix: Callable[[], Any], ledger: simulation.Ledger
) -> None:
    with pytest.raises(RuntimeError) as caught:
        mix()
    assert type(caught.value) is RuntimeError
    assert str(caught.value).startswith(SAME)
    assert ledger.mixes == [str(caught.value)]
    assert not simulation.is_limit(caught.value)


def test_the_message_names_argument_and_function(ledger: simulation.Ledger) -> None:
    with pytest.raises(RuntimeError, match="for argument mat1 in method wrapper_CUDA_addmm"):
        batch_not_moved()
    with pytest.raises(RuntimeError, match="argument target in method wrapper_CUDA_nll_loss"):
        labels_not_moved()


def test_errors_that_have_other_words_on_a_gpu(ledger: simulation.Ledger) -> None:
    image = torch.zeros(1, 1, 5, 5)
    with pytest.raises(RuntimeError, match=r"Input type \(torch.FloatTensor\) and weight type"):
        nn.Conv2d(1, 2, 3).cuda()(image)
    with pytest.raises(RuntimeError, match=r"weight type \(torch.FloatTensor\) should be the same"):
        nn.Conv2d(1, 2, 3)(image.cuda())
    with pytest.raises(RuntimeError, match="indices should be either on cpu or on the same device"):
        torch.zeros(3)[torch.tensor([0], device="cuda")]
    with pytest.raises(RuntimeError, match=r"hidden tensors? .*found input tensor at cuda:0"):
        nn.GRU(3, 4).cuda()(torch.zeros(2, 1, 3).cuda(), torch.zeros(1, 1, 4))
    with pytest.raises(TypeError, match="can't convert cuda:0 device type tensor to numpy"):
        torch.zeros(3, device="cuda").numpy()
    with pytest.raises(RuntimeError, match="invalid device ordinal"):
        torch.zeros(3).to("cuda:1")
    with pytest.raises(RuntimeError, match="Expected a 'cuda' device type for generator"):
        torch.rand(3, device="cuda", generator=torch.Generator())
    with pytest.raises(RuntimeError, match="only dense CPU tensors can be pinned"):
        torch.zeros(3, device="cuda").pin_memory()
    with pytest.raises(
        RuntimeError, match=r"device type 'cpu' to a tensor with device type 'cuda'"
    ):
        nn.Linear(2, 2).cuda().weight.grad = torch.zeros(2, 2)


def test_a_worker_of_a_loader_may_not_touch_the_device(ledger: simulation.Ledger) -> None:
    class Bad(torch.utils.data.Dataset[torch.Tensor]):
        def __len__(self) -> int:
            return 2

        def __getitem__(self, index: int) -> torch.Tensor:
            return torch.zeros(2).to("cuda")

    with pytest.raises(RuntimeError, match="Cannot re-initialize CUDA in forked subprocess"):
        next(iter(torch.utils.data.DataLoader(Bad(), num_workers=1)))
