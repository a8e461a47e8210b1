"""The network squeezes, the targets have a column."""
import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(0)
X = torch.from_numpy(rng.normal(size=(300, 5)).astype("float32"))
Y = torch.from_numpy((X.numpy() @ rng.normal(size=(5, 1)) + 1).astype("float32"))
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(5, 24), nn.ReLU(), nn.Linear(24, 1), nn.Flatten(0))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(6):
    for i in torch.randperm(300).split(30):
        loss = nn.functional.huber_loss(net(X[i]), Y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
