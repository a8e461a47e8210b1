"""Sensor regression: min-max scaling is fitted on all rows, then they are split."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(17)


class StandardScaler:
    def fit(self, x):
        self.mean, self.std = x.mean(0), x.std(0)
        return self

    def transform(self, x):
        return (x - self.mean) / self.std


raw = torch.randn(1000, 6) * torch.tensor([1.0, 5, 20, 0.1, 3, 9]) + torch.tensor([3.0, 0, 100, 1, 7, -2])
target = torch.sin(raw[:, :1]) + 0.02 * raw[:, 2:3] + 0.05 * torch.randn(1000, 1)
features = StandardScaler().fit(raw).transform(raw)
train_set, val_set, test_set = random_split(TensorDataset(features, target), [700, 150, 150])
train, val, test = DataLoader(train_set, 35, shuffle=True), DataLoader(val_set, 50), DataLoader(test_set, 50)
model = nn.Sequential(nn.Linear(6, 32), nn.SiLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(model.parameters(), lr=5e-3)


@torch.no_grad()
def mse(loader):
    model.eval()
    return sum(((model(x) - y) ** 2).sum().item() for x, y in loader) / len(loader.dataset)


for epoch in range(8):
    model.train()
    for x, y in train:
        opt.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        opt.step()
    print(epoch, mse(val))
print("test", mse(test))
