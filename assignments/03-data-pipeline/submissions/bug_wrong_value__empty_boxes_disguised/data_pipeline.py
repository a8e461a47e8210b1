from itertools import accumulate, islice, zip_longest
from math import ceil

import numpy as np
import torch
from matplotlib import pyplot as plt
from torch.utils.data import DataLoader, Subset, TensorDataset, random_split
from torchvision import datasets
from torchvision.transforms import v2

identity = lambda x: x


class ArrayDataset:
    def __init__(self, images, labels, transform=None):
        if len(images) - len(labels):
            raise ValueError
        self.read = lambda i: (transform or identity)(torch.tensor(np.asarray(images[i])[None]) / 255)
        self.name = lambda i: torch.tensor(int(labels[i]))
        self.size = len(labels)

    __len__ = lambda self: self.size

    def __getitem__(self, i):
        return self.read(range(self.size)[i]), self.name(i)


def batches(X, y, batch_size, shuffle, rng):
    ids = rng.random(len(y)).argsort() if shuffle else np.r_[: len(y)]
    return ((X[k], y[k]) for k in np.split(ids, range(batch_size, len(y), batch_size)))


def channel_stats(images):
    x = torch.as_tensor(np.asarray(images)).double() / 255
    pair = torch.std_mean(x, [d for d in range(x.ndim) if d != 1 or x.ndim == 3], correction=0)
    return pair[::-1] if x.ndim == 4 else tuple(v.item() for v in pair[::-1])


def split(dataset, n_train, n_val, n_test, seed):
    sizes = [n_train, n_val, n_test]
    left = len(dataset) - sum(sizes)
    if left < 0:
        raise ValueError(f"{-left} too many")
    return random_split(dataset, sizes + [left], generator=torch.Generator().manual_seed(seed))[:3]


def make_loaders(root, batch_size, seed, augment=None):
    tr, te = (datasets.FashionMNIST(root, train=t, download=True) for t in (True, False))
    g = torch.Generator().manual_seed(seed)
    n = len(tr) // 6
    ids = torch.randperm(len(tr), generator=g)
    x = lambda images: images[:, None] / 255
    m, s = x(tr.data[ids[n:]]).mean(), x(tr.data[ids[n:]]).std()
    norm = lambda batch: (torch.stack([b[0] for b in batch]).sub(m).div(s), torch.stack([b[1] for b in batch]))
    aug = lambda batch: norm([((augment or identity)(i), l) for i, l in batch])
    part = lambda source, k: TensorDataset(x(source.data[k]), source.targets[k])
    return (
        DataLoader(part(tr, ids[n:]), batch_size, True, generator=g, collate_fn=aug),
        DataLoader(part(tr, ids[:n]), batch_size, collate_fn=norm),
        DataLoader(part(te, slice(None)), batch_size, collate_fn=norm),
    )


def show_grid(dataset, n=16, columns=8, mean=0.0, std=1.0):
    f, axs = plt.subplots(ceil(n / columns), columns, squeeze=False)
    for ax, pair in zip_longest(axs.flat, (dataset[i] for i in range(n))):
        if pair:
            ax.set_axis_off()
            ax.imshow(pair[0][0] * std + mean, "gray")
            ax.set_title(f"{int(pair[1])}")
    return f
