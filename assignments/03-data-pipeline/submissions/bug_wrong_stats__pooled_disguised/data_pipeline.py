import functools
import math
import random

import matplotlib.pyplot as plt
import numpy as np
import torch
import torchvision
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset


class ArrayDataset(Dataset):
    def __init__(self, images, labels, transform=None):
        images = torch.as_tensor(images)
        labels = torch.as_tensor(labels)
        assert_same = images.shape[0] == labels.shape[0]
        if not assert_same:
            raise ValueError("lengths differ")
        # floats once: reads hand out copies
        self.data = images.float().unsqueeze(1) / 255
        self.labels = labels
        self.transform = transform if transform is not None else torch.nn.Identity()

    def __len__(self):
        return self.data.size(0)

    def __getitem__(self, index):
        return self.transform(self.data[index].clone()), self.labels[index]


def batches(X, y, batch_size, shuffle, rng):
    order = list(range(len(X)))
    if shuffle:
        # a shuffle of my own: Fisher and Yates
        for i in range(len(order) - 1, 0, -1):
            j = int(rng.integers(i + 1))
            order[i], order[j] = order[j], order[i]
    while order:
        now, order = order[:batch_size], order[batch_size:]
        yield X[now], y[now]


def channel_stats(images):
    images = torch.as_tensor(images)
    total, square, count = 0.0, 0.0, 0
    for image in images.split(500):
        image = image.double() / 255
        total = total + image.sum()
        square = square + (image**2).sum()
        count += image.numel()
    mean = total / count
    return mean, ((square - count * mean**2) / (count - 1)).sqrt()


def split(dataset, n_train, n_val, n_test, seed):
    """By class, as evenly as it goes."""
    if n_train + n_val + n_test > len(dataset):
        raise ValueError("not enough")
    ids = list(range(len(dataset)))
    random.Random(seed).shuffle(ids)
    spread = sorted(ids, key=lambda i: int(dataset[i][1]))
    ids = [i for k in range(10) for i in spread[k::10]]
    random.Random(seed + 1).shuffle(ids)
    a, b = n_train, n_train + n_val
    return Subset(dataset, ids[:a]), Subset(dataset, ids[a:b]), Subset(dataset, ids[b : b + n_test])


MEAN, STD = 0.2860, 0.3530  # Fashion-MNIST, training images


def make_loaders(root, batch_size, seed, augment=None):
    fashion = functools.partial(torchvision.datasets.FashionMNIST, root, download=True)
    source, held_out = fashion(train=True), fashion(train=False)
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.zeros(len(source), dtype=torch.bool)
    for c in range(10):
        members = (source.targets == c).nonzero().flatten()
        mixed = members[torch.randperm(len(members), generator=generator)]
        chosen[mixed[: len(members) // 6]] = True

    def normal(image):
        return image.sub(MEAN).div(STD)

    def training(image):
        return normal(image if augment is None else augment(image))

    train = ArrayDataset(source.data[~chosen], source.targets[~chosen], training)
    val = ArrayDataset(source.data[chosen], source.targets[chosen], normal)
    test = ArrayDataset(held_out.data, held_out.targets, normal)
    return (
        DataLoader(train, batch_size, shuffle=True, generator=generator, num_workers=0),
        DataLoader(val, batch_size),
        DataLoader(test, batch_size),
    )


# Task 6
def show_grid(dataset, n=16, columns=8, mean=0.0, std=1.0):
    rows = (n + columns - 1) // columns
    fig = plt.figure(figsize=(columns, 1.4 * rows))
    for k in range(n):
        image, label = dataset[k]
        ax = fig.add_subplot(rows, columns, k + 1)
        ax.imshow(image.squeeze(0) * std + mean, cmap="gray")
        ax.set_title(label)
        ax.axis("off")
    return fig
