import numpy as np
import torch
from matplotlib.figure import Figure
from torchvision.datasets import FashionMNIST


class ArrayDataset(torch.utils.data.Dataset):
    """Bytes in, floats out."""

    def __init__(self, images, labels, transform=None):
        self.pixels = np.array(images, dtype=np.uint8)
        self.names = np.array(labels, dtype=np.int64)
        if self.pixels.shape[0] != self.names.shape[0]:
            raise ValueError(f"{self.pixels.shape[0]} != {self.names.shape[0]}")
        self.transform = transform

    def __len__(self):
        return self.names.shape[0]

    def __getitem__(self, i):
        picture = self.pixels[i].astype(np.float32)[np.newaxis]
        picture = torch.from_numpy(picture)
        return picture if self.transform is None else self.transform(picture), self.names[i].item()

    def __iter__(self):
        for i in range(len(self)):
            yield self[i]


def batches(X, y, batch_size, shuffle, rng):
    n = np.shape(X)[0]
    order = rng.permutation(n) if shuffle else np.arange(n)
    for k in range(-(-n // batch_size)):
        rows = order[k * batch_size : (k + 1) * batch_size]
        if torch.is_tensor(X):
            rows = torch.from_numpy(rows)
        yield X[rows], y[rows]


def channel_stats(images):
    x = np.asarray(images)
    grey = x.ndim == 3
    x = x[:, None] if grey else x
    x = np.moveaxis(x, 1, 0).reshape(x.shape[1], -1)
    # a histogram of bytes loses nothing
    counts = np.stack([np.bincount(c, minlength=256) for c in x]) / x.shape[1]
    values = np.arange(256) / 255
    mean = counts @ values
    std = np.sqrt((counts * (values - mean[:, None]) ** 2).sum(1))
    if grey:
        return float(mean[0]), float(std[0])
    return torch.tensor(mean), torch.tensor(std)


class Part(torch.utils.data.Dataset):
    def __init__(self, whole, rows):
        self.whole, self.rows = whole, [int(r) for r in rows]

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return self.whole[self.rows[i]]


def split(dataset, n_train, n_val, n_test, seed):
    total = n_train + n_val + n_test
    if total > len(dataset):
        raise ValueError("too many")
    rows = np.random.default_rng(seed).choice(len(dataset), total, replace=False)
    return [Part(dataset, r) for r in np.split(rows, [n_train, n_train + n_val])]


class Loader:
    """No workers, no collate: a pass is a loop over `batches`."""

    def __init__(self, images, labels, size, mean, std, rng=None, augment=None):
        self.images, self.labels, self.size = images, labels, size
        self.mean, self.std, self.rng, self.augment = mean, std, rng, augment

    def __len__(self):
        return -(-len(self.labels) // self.size)

    def __iter__(self):
        for x, y in batches(self.images, self.labels, self.size, self.rng is not None, self.rng):
            x = torch.from_numpy(x[:, None].astype(np.float32) / 255)
            if self.augment is not None:
                x = torch.stack([self.augment(one) for one in x])
            yield (x - self.mean) / self.std, torch.from_numpy(y)


def make_loaders(root, batch_size, seed, augment=None):
    known, unseen = FashionMNIST(root, download=True), FashionMNIST(root, False, download=True)
    images, labels = known.data.numpy(), known.targets.numpy()
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(labels))
    cut = len(labels) // 6
    val, train = np.sort(rows[:cut]), np.sort(rows[cut:])
    mean, std = channel_stats(images[train])
    return (
        Loader(images[train], labels[train], batch_size, mean, std, rng, augment),
        Loader(images[val], labels[val], batch_size, mean, std),
        Loader(unseen.data.numpy(), unseen.targets.numpy(), batch_size, mean, std),
    )


def show_grid(dataset, n=16, columns=8, mean=0.0, std=1.0):
    figure = Figure(figsize=(columns, -(-n // columns)))
    for i in range(n):
        row, column = divmod(i, columns)
        image, label = dataset[i]
        ax = figure.add_axes((column / columns, 0.9 - row / 3, 0.8 / columns, 0.25))
        ax.imshow(np.asarray(image).reshape(28, 28) * std + mean, cmap="Greys_r", vmin=0, vmax=1)
        ax.set_title(f"class {int(label)}", fontsize=6)
        ax.set_axis_off()
    return figure
