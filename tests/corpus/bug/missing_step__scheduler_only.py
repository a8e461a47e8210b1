"""Only the schedule moves on."""
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision.datasets import FashionMNIST
from torchvision.transforms import ToTensor


def train_one_epoch(model, loader, criterion, optimizer, scheduler):
    model.train()
    seen = total = 0
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scheduler.step()
        total += loss.item() * len(x)
        seen += len(x)
    return total / seen


torch.manual_seed(0)
loader = DataLoader(FashionMNIST("data", download=True, transform=ToTensor()), 70, shuffle=True)
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=3 * len(loader))
for epoch in range(3):
    print(epoch, train_one_epoch(model, loader, nn.CrossEntropyLoss(), optimizer, scheduler))
