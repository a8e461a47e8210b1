"""One dictionary of loader options for both parts."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
options = dict(batch_size=30, shuffle=True, drop_last=False)
x = torch.randn(400, 5)
y = (x[:, 0] > x[:, 1]).long()
loaders = {"fit": DataLoader(TensorDataset(x[:300], y[:300]), **options),
           "check": DataLoader(TensorDataset(x[300:], y[300:]), **options)}
net = nn.Sequential(nn.Linear(5, 20), nn.ReLU(), nn.Linear(20, 2))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(4):
    for phase, loader in loaders.items():
        net.train(phase == "fit")
        right = 0
        with torch.set_grad_enabled(phase == "fit"):
            for xb, yb in loader:
                out = net(xb)
                if phase == "fit":
                    opt.zero_grad()
                    nn.functional.cross_entropy(out, yb).backward()
                    opt.step()
                right += (out.argmax(1) == yb).sum().item()
        print(epoch, phase, right / len(loader.dataset))
