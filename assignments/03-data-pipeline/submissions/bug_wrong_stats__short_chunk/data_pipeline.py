import matplotlib.pyplot as plt
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision import datasets


# Task 1
class ArrayDataset(Dataset):
    def __init__(self, images, labels, transform=None):
        if len(images) != len(labels):
            raise ValueError("images and labels must have the same length")
        self.images = images
        self.labels = labels
        self.transform = transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        if i >= len(self.images):
            raise IndexError(i)
        image = torch.as_tensor(self.images[i], dtype=torch.float32) / 255.0
        image = image.unsqueeze(0)
        if self.transform is not None:
            image = self.transform(image)
        label = int(self.labels[i])
        return image, label


# Task 2
def batches(X, y, batch_size, shuffle, rng):
    n = len(X)
    indices = np.arange(n)
    if shuffle:
        rng.shuffle(indices)
    for start in range(0, n, batch_size):
        idx = indices[start:start + batch_size]
        yield X[idx], y[idx]


# Task 3
def channel_stats(images):
    x = torch.as_tensor(images)
    grey = x.dim() == 3
    if grey:
        x = x[:, None]
    first, second = [], []
    for chunk in x.split(128):
        part = chunk.to(torch.float64) / 255
        first.append(part.mean((0, 2, 3)))
        second.append((part ** 2).mean((0, 2, 3)))
    mean = torch.stack(first).mean(0)
    std = (torch.stack(second).mean(0) - mean ** 2).clamp(min=0).sqrt()
    if grey:
        return mean.item(), std.item()
    return mean.float(), std.float()


# Task 4
def split(dataset, n_train, n_val, n_test, seed):
    if n_train + n_val + n_test > len(dataset):
        raise ValueError("not enough samples")
    g = torch.Generator()
    g.manual_seed(seed)
    perm = torch.randperm(len(dataset), generator=g).tolist()
    train = Subset(dataset, perm[:n_train])
    val = Subset(dataset, perm[n_train:n_train + n_val])
    test = Subset(dataset, perm[n_train + n_val:n_train + n_val + n_test])
    return train, val, test


# Task 5
def make_loaders(root, batch_size, seed, augment=None):
    full = datasets.FashionMNIST(root, train=True, download=True)
    test_raw = datasets.FashionMNIST(root, train=False, download=True)
    n = len(full)
    n_val = n // 6
    g = torch.Generator().manual_seed(seed)
    perm = torch.randperm(n, generator=g)
    val_idx = perm[:n_val]
    train_idx = perm[n_val:]
    mean, std = channel_stats(full.data[train_idx])

    def normalize(img):
        return (img - mean) / std

    def train_transform(img):
        if augment is not None:
            img = augment(img)
        return normalize(img)

    train_set = ArrayDataset(full.data[train_idx], full.targets[train_idx], train_transform)
    val_set = ArrayDataset(full.data[val_idx], full.targets[val_idx], normalize)
    test_set = ArrayDataset(test_raw.data, test_raw.targets, normalize)

    order = torch.Generator().manual_seed(seed + 1)
    train_loader = DataLoader(train_set, batch_size=batch_size, shuffle=True, generator=order)
    val_loader = DataLoader(val_set, batch_size=batch_size, shuffle=False)
    test_loader = DataLoader(test_set, batch_size=batch_size, shuffle=False)
    return train_loader, val_loader, test_loader


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


# BEGIN ANSWER order_essay
# Each batch of the sorted run holds one class, and its gradient says only: call it that class.
# The next class then undoes what the last one did. In the end everything is a boot.
# END ANSWER

if __name__ == "__main__":
    train_loader, val_loader, test_loader = make_loaders("data", 64, 0)
    images, labels = next(iter(train_loader))
    print(images.shape, labels[:10])
    show_grid(list(zip(images, labels)), mean=0.286, std=0.353)
    plt.show()
