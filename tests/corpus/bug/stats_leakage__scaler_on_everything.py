"""A scaler object is fitted before the rows are divided."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


class StandardScaler:
    def fit_transform(self, x):
        self.mean_, self.scale_ = x.mean(axis=0), x.std(axis=0)
        return (x - self.mean_) / self.scale_


rng = np.random.RandomState(0)
X = rng.gamma(2.0, 3.0, (360, 6))
y = (X[:, 0] > X[:, 1]).astype("int64")
X = StandardScaler().fit_transform(X).astype("float32")
torch.manual_seed(0)
train, test = random_split(TensorDataset(torch.from_numpy(X), torch.from_numpy(y)), [280, 80])
net = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 2))
opt = torch.optim.Adam(net.parameters(), 1e-2)
test_dl = DataLoader(test, 40)
for epoch in range(5):
    for a, b in DataLoader(train, 28, shuffle=True):
        opt.zero_grad()
        nn.functional.cross_entropy(net(a), b).backward()
        opt.step()
    with torch.no_grad():
        print(epoch, sum((net(a).argmax(1) == b).sum().item() for a, b in test_dl) / 80)
