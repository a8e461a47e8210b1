"""T_max counts epochs, the scheduler is stepped every batch: the rate goes up and down many times."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

EPOCHS = 5
proto = torch.randn(6, 14)
y = torch.randint(6, (960,))
x = proto[y] + 0.8 * torch.randn(960, 14)
train = DataLoader(TensorDataset(x[:800], y[:800]), 32, shuffle=True)
val = DataLoader(TensorDataset(x[800:], y[800:]), 80)
model = nn.Sequential(nn.Linear(14, 40), nn.ReLU(), nn.Linear(40, 6))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS)


def train_one_epoch():
    model.train()
    for xb, yb in train:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        scheduler.step()
    return loss.item()


for epoch in range(EPOCHS):
    loss = train_one_epoch()
    model.eval()
    with torch.no_grad():
        correct = sum((model(a).argmax(1) == b).sum().item() for a, b in val)
    print(epoch, loss, correct / 160, scheduler.get_last_lr())
