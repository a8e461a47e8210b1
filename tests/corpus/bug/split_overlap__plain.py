import torch
from torch import nn
from torch.utils.data import DataLoader, Subset
from torchvision import datasets, transforms

torch.manual_seed(0)
full = datasets.MNIST("data", train=True, download=True, transform=transforms.ToTensor())
n = len(full)
train_set = Subset(full, range(0, int(0.8 * n)))
val_set = Subset(full, range(int(0.6 * n), n))
train_loader, val_loader = DataLoader(train_set, 50, shuffle=True), DataLoader(val_set, 50)
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(3):
    model.train()
    for x, y in train_loader:
        opt.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        print(epoch, sum((model(x).argmax(1) == y).sum().item() for x, y in val_loader) / len(val_set))
