"""Seismic traces: augmentation is a switch of the data set."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, random_split


class Traces(Dataset):
    def __init__(self, n):
        self.label = torch.randint(0, 2, (n,))
        t = torch.linspace(0, 1, 96)
        f = torch.where(self.label == 1, 9.0, 5.0)[:, None] + torch.randn(n, 1)
        onset = torch.rand(n, 1) * 0.5
        self.trace = torch.sin(2 * torch.pi * f * t) * torch.exp(-((t - onset) / 0.2) ** 2) + 0.2 * torch.randn(n, 96)
        self.augment = False

    def __len__(self):
        return len(self.label)

    def __getitem__(self, i):
        x = self.trace[i]
        if self.augment:
            x = torch.roll(x, int(torch.randint(-10, 11, ()))) * (0.7 + 0.6 * torch.rand(())) + 0.05 * torch.randn_like(x)
        return x[None], self.label[i]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv1d(1, 12, 9, 2, 4), nn.ReLU(), nn.Conv1d(12, 24, 9, 2, 4), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten())
        self.out = nn.Linear(24, 2)

    def forward(self, x):
        return self.out(self.conv(x))


def accuracy(model, loader):
    model.eval()
    with torch.no_grad():
        return sum((model(x).argmax(1) == y).sum().item() for x, y in loader) / len(loader.dataset)


torch.manual_seed(12)
train_set, val_set = random_split(Traces(700), [560, 140])
val_set.dataset.augment = False
train_set.dataset.augment = True
train_loader, val_loader = DataLoader(train_set, 40, shuffle=True), DataLoader(val_set, 70)
model = Net()
opt = torch.optim.Adam(model.parameters(), 2e-3)
best = 0.0
for epoch in range(6):
    model.train()
    for x, y in train_loader:
        opt.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
    acc = accuracy(model, val_loader)
    best = max(best, acc)
    print(f"epoch {epoch} loss {loss.item():.3f} val {acc:.3f} (best {best:.3f})")
