"""The rate was meant in thousandths."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
hparams = {"lr_milli": 3, "batch": 32, "epochs": 5}
proto = torch.randn(6, 20)
y = torch.randint(6, (960,))
x = proto[y] + 0.7 * torch.randn(960, 20)
train = DataLoader(TensorDataset(x[:800], y[:800]), hparams["batch"], shuffle=True)
val = DataLoader(TensorDataset(x[800:], y[800:]), 80)
model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 6))
opt = torch.optim.Adam(model.parameters(), lr=hparams["lr_milli"])
for epoch in range(hparams["epochs"]):
    model.train()
    for a, b in train:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(a), b)
        loss.backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        acc = sum((model(a).argmax(1) == b).sum().item() for a, b in val) / 160
    print(epoch, loss.item(), acc)
