import numpy as np
import torch
import matplotlib.pyplot as plt
from torchvision import datasets, transforms
from torch.utils.data import *


class ArrayDataset(TensorDataset):
    def __init__(self, images, labels, transform=None):
        images, labels = torch.as_tensor(images), torch.as_tensor(labels, dtype=torch.long)
        if images.size(0) != labels.size(0):
            raise ValueError("one label for each image, please")
        super().__init__(images, labels)
        self.transform = transform

    def __getitem__(self, i):
        image, label = super().__getitem__(i)
        image = image.unsqueeze(0).float().div_(255.)
        if self.transform:
            image = self.transform(image)
        return image, label


def batches(X, y, batch_size, shuffle, rng):
    n = len(X)
    todo = np.arange(n)
    if shuffle:
        todo = rng.choice(n, n, replace=False)
    i = 0
    while i < n:
        j = min(i + batch_size, n)
        yield X[todo[i:j]], y[todo[i:j]]
        i = j


def channel_stats(images):
    images = np.asarray(images, dtype=np.float64) / 255.
    if images.ndim == 3:
        return images.mean(), images.std()
    m = images.mean(axis=(0, 2, 3))
    s = np.sqrt(((images - m[None, :, None, None]) ** 2).mean(axis=(0, 2, 3)))
    return torch.from_numpy(m), torch.from_numpy(s)


def split(dataset, n_train, n_val, n_test, seed):
    n = n_train + n_val + n_test
    if n > len(dataset):
        raise ValueError(n)
    torch.manual_seed(seed)
    order = torch.randperm(len(dataset))
    return tuple(Subset(dataset, part.tolist()) for part in order[:n].split([n_train, n_val, n_test]))


def make_loaders(root, batch_size, seed, augment=None):
    plain = datasets.FashionMNIST(root, train=True, download=True, transform=transforms.ToTensor())
    n_val = len(plain) // 6
    train_part, val_part = random_split(
        plain, [len(plain) - n_val, n_val], generator=torch.Generator().manual_seed(seed)
    )
    pixels = torch.stack([image for image, _ in plain])
    mean, std = pixels.mean(), pixels.std()
    norm = transforms.Normalize(mean, std)
    evaluation = transforms.Compose([transforms.ToTensor(), norm])
    training = transforms.Compose([transforms.ToTensor()] + ([augment] if augment else []) + [norm])
    train = Subset(datasets.FashionMNIST(root, train=True, transform=training), train_part.indices)
    val = Subset(datasets.FashionMNIST(root, train=True, transform=evaluation), val_part.indices)
    test = datasets.FashionMNIST(root, train=False, transform=evaluation)
    order = RandomSampler(train, generator=torch.Generator().manual_seed(seed))
    return (
        DataLoader(train, batch_size=batch_size, sampler=order),
        DataLoader(val, batch_size=batch_size),
        DataLoader(test, batch_size=batch_size),
    )


def show_grid(dataset, n=16, columns=8, mean=0.0, std=1.0):
    rows = int(np.ceil(n / columns))
    fig, axes = plt.subplots(rows, columns, figsize=(2 * columns, 2 * rows))
    axes = np.array(axes).flatten()
    for i in range(len(axes)):
        if i < n:
            image, label = dataset[i]
            axes[i].imshow(image.squeeze().numpy() * std + mean, cmap='gray')
            axes[i].set_title('label: %d' % label)
            axes[i].axis('off')
        else:
            fig.delaxes(axes[i])
    plt.close(fig)
    return fig
