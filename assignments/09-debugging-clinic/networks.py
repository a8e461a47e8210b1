"""The networks of `probes.py` once more, for the judges to compute with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Array = np.ndarray[Any, Any]


def network(*weights: Array) -> nn.Sequential:
    """Linear layers with these weights and no biases to begin with, ReLUs between them."""
    layers: list[nn.Module] = []
    for w in weights:
        layer = nn.Linear(*w.shape[::-1])
        with torch.no_grad():
            layer.weight.copy_(torch.as_tensor(w))
            layer.bias.zero_()
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def small(first: Array, second: Array) -> tuple[nn.Sequential, dict[str, Tensor]]:
    """The same as the network of task 9, with its parameters by its names for them."""
    net = network(first, second)
    near, far = net[0], net[2]
    names = ("near.weight", "near.bias", "far.weight", "far.bias")
    held: Any = (near.weight, near.bias, far.weight, far.bias)
    return net, dict(zip(names, held, strict=True))


def flat(first: Array, second: Array) -> Array:
    """Its first weights in one row."""
    held = small(first, second)[1]
    return np.asarray(nn.utils.parameters_to_vector(held.values()).detach().numpy())


def uncleared(made: Mapping[str, Any]) -> Array:
    """Its weights after steps along gradients that add up."""
    net, held = small(made["first"], made["second"])
    sgd = torch.optim.SGD(net.parameters(), lr=made["lr"], momentum=made["momentum"])
    for x, y in zip(made["images"], made["labels"], strict=True):
        loss = nn.functional.cross_entropy(net(torch.tensor(x)), torch.tensor(y))
        torch.autograd.backward(loss)
        sgd.step()
    return np.asarray(nn.utils.parameters_to_vector(held.values()).detach().numpy())
