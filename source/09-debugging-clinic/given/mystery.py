"""The network, the batches and the run that died. Leave this file as it is."""

import torch
from torch import nn
from torchvision import datasets

IMAGES = 8000
"""How many of MNIST's training images the clinic works with."""


def network(seed):
    """784-128-64-10, with the same first weights for the same seed."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)
    )


def batches(seed, count, root="data"):
    """`count` batches of 64 images (64, 1, 28, 28) in [0, 1] and their labels, drawn by `seed`."""
    mnist = datasets.MNIST(root, train=True, download=True)
    images = mnist.data[:IMAGES, None].float() / 255
    with torch.random.fork_rng():
        network(seed)  # the order is drawn after the weights
        rounds = -(-64 * count // len(images))
        order = torch.cat([torch.randperm(len(images)) for _ in range(rounds)])
    return [(images[i], mnist.targets[i]) for i in order[: 64 * count].split(64)]


def mystery_batches(seed, root="data"):
    """80 batches, one of which is not like the others."""
    drawn = batches(seed, 80, root)
    place = int(torch.randint(3, 80, (1,), generator=torch.Generator().manual_seed(seed + 8)))
    images, labels = drawn[place]
    drawn[place] = (images * 255, labels)
    return drawn
