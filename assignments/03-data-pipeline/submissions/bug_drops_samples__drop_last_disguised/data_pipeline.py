from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler, Subset
from torchvision import datasets
from torchvision.transforms import Compose, Lambda, Normalize, ToTensor


@dataclass
class ArrayDataset(Dataset):
    images: Tensor
    labels: Tensor
    transform: Callable[[Tensor], Tensor] | None = None

    def __post_init__(self):
        if len(self.images) != len(self.labels):
            raise ValueError(f"{len(self.images)} images and {len(self.labels)} labels")

    def __len__(self):
        return len(self.labels)

    def picture(self, i):
        return torch.as_tensor(self.images[i]).to(torch.float32).mul(1 / 255).view(1, 28, 28)

    def __getitem__(self, i):
        if not -len(self) <= i < len(self):
            raise IndexError(f"item {i} of {len(self)}")
        picture = self.picture(i)
        for step in filter(None, [self.transform]):
            picture = step(picture)
        return picture, int(self.labels[i])


class batches:
    """An iterator: one pass over the data."""

    def __init__(self, X, y, batch_size, shuffle, rng):
        self.X, self.y, self.size, self.at = X, y, batch_size, 0
        order = self.draw(len(X), rng) if shuffle else torch.arange(len(X))
        self.order = order if isinstance(X, Tensor) else order.numpy()

    @staticmethod
    def draw(n, rng):
        seed = int(rng.integers(2**62))
        return torch.randperm(n, generator=torch.Generator().manual_seed(seed))

    def __iter__(self):
        return self

    def __next__(self):
        chosen = self.order[self.at : self.at + self.size]
        if not len(chosen):
            raise StopIteration
        self.at += self.size
        return self.X[chosen], self.y[chosen]


class Moments:
    """Adds up batch by batch, in whole numbers, so that nothing is lost."""

    def __init__(self):
        self.n, self.first, self.second = 0, 0, 0

    def add(self, images):
        x = images.transpose(0, 1).flatten(1).long()
        self.n += x.shape[1]
        self.first = self.first + x.sum(1)
        self.second = self.second + (x * x).sum(1)

    def result(self):
        mean = self.first.double() / self.n
        return mean / 255, (self.second.double() / self.n - mean**2).sqrt() / 255


def channel_stats(images):
    images = torch.as_tensor(images)
    grey = images.dim() == 3
    moments = Moments()
    for some in (images.unsqueeze(1) if grey else images).split(1000):
        moments.add(some)
    mean, std = moments.result()
    return (mean.item(), std.item()) if grey else (mean, std)


def split(dataset, n_train, n_val, n_test, seed):
    sizes = (n_train, n_val, n_test)
    if sum(sizes) > len(dataset):
        raise ValueError(f"{sum(sizes)} of {len(dataset)} samples")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        rest = torch.randperm(len(dataset)).tolist()
    parts = []
    for size in sizes:
        taken, rest = rest[:size], rest[size:]
        parts.append(Subset(dataset, taken))
    return tuple(parts)


class EpochSampler(Sampler):
    """A new order each time, made of the seed and the number of the pass."""

    def __init__(self, n, seed):
        self.n, self.seed, self.epoch = n, seed, 0

    def __len__(self):
        return self.n

    def __iter__(self):
        order = torch.Generator().manual_seed(1000 * self.seed + self.epoch)
        self.epoch += 1
        return iter(torch.randperm(self.n, generator=order).tolist())


class Pipeline:
    def __init__(self, root, seed):
        raw = datasets.FashionMNIST(root, train=True, download=True)
        chance = np.random.RandomState(seed)
        ids = chance.permutation(len(raw))
        n_val = round(len(raw) / 6)
        self.root, self.val, self.train = root, sorted(ids[:n_val]), sorted(ids[n_val:])
        pixels = raw.data[self.train].double() / 255
        self.numbers = (pixels.mean().item(),), (pixels.std(unbiased=False).item(),)

    def part(self, train, augment=None):
        steps = [ToTensor(), *([] if augment is None else [Lambda(augment)]), Normalize(*self.numbers)]
        return datasets.FashionMNIST(self.root, train=train, transform=Compose(steps))


def make_loaders(root, batch_size, seed, augment=None):
    pipeline = Pipeline(root, seed)
    train = Subset(pipeline.part(True, augment), pipeline.train)
    val = Subset(pipeline.part(True), pipeline.val)
    return (
        DataLoader(train, batch_size, sampler=EpochSampler(len(train), seed)),
        DataLoader(val, 2 * batch_size),
        DataLoader(pipeline.part(False), batch_size, drop_last=True),
    )


class Grid:
    def __init__(self, n, columns):
        self.figure = plt.figure()
        self.spec = self.figure.add_gridspec(1 + (n - 1) // columns, columns)
        self.columns = columns

    def put(self, i, picture, title):
        ax = self.figure.add_subplot(self.spec[i // self.columns, i % self.columns])
        ax.imshow(picture, cmap=plt.cm.gray, interpolation="nearest")
        ax.set(title=title)
        ax.axis(False)


def show_grid(dataset, n=16, columns=8, mean=0.0, std=1.0):
    grid = Grid(n, columns)
    for i in range(n):
        picture, label = dataset[i]
        grid.put(i, (picture * std + mean).permute(1, 2, 0).numpy(), str(label))
    return grid.figure
