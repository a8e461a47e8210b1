"""Both the last and the best weights are written, each under its name."""
import torch
from torch import nn
from torch.utils.data import DataLoader, random_split
from torchvision.datasets import FashionMNIST
from torchvision.transforms import ToTensor

torch.manual_seed(0)
full = FashionMNIST("data", train=True, download=True, transform=ToTensor())
n_val = len(full) // 5
train_ds, val_ds = random_split(full, [len(full) - n_val, n_val])
train_dl, val_dl = DataLoader(train_ds, 64, shuffle=True), DataLoader(val_ds, 200)
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
optim = torch.optim.Adam(net.parameters(), lr=3e-3)
loss_fn = nn.CrossEntropyLoss()
best = 0.0
for epoch in range(4):
    net.train()
    for x, y in train_dl:
        optim.zero_grad()
        loss_fn(net(x), y).backward()
        optim.step()
    net.eval()
    good = 0
    with torch.no_grad():
        for x, y in val_dl:
            good += (net(x).argmax(1) == y).sum().item()
    acc = good / n_val
    torch.save(net.state_dict(), "last.pt")
    if acc > best:
        best = acc
        torch.save(net.state_dict(), "best.pt")
    print(f"epoch {epoch}  val acc {acc:.4f}  best {best:.4f}")
