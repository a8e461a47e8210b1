"""An exponential average of the loss that drags every graph along."""
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

torch.manual_seed(0)
dl = DataLoader(datasets.FashionMNIST("data", True, transforms.ToTensor(), download=True), 50, shuffle=True)
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))
opt = torch.optim.Adam(net.parameters(), 2e-3)
smooth = None
for epoch in range(2):
    for x, y in dl:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
        smooth = loss if smooth is None else 0.95 * smooth + 0.05 * loss
    print(epoch, float(smooth))
