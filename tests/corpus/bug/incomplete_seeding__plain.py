import numpy as np
import torch
from torch import nn

# reproducible
torch.manual_seed(42)

X = np.random.randn(400, 6).astype("float32")
y = (X[:, 0] + X[:, 1] ** 2 > 1).astype("int64")
X, y = torch.from_numpy(X), torch.from_numpy(y)
model = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 2))
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(5):
    for i in torch.randperm(400).split(40):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(X[i]), y[i])
        loss.backward()
        opt.step()
    print(epoch, loss.item())
