"""Training is broken off in the middle of an epoch by a budget of steps; both sets are then scored as a whole."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
x = torch.randn(500, 6)
rows = TensorDataset(x, (x.sum(1) > 0).long())
train_set, test_set = random_split(rows, [400, 100])
model = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 2))
opt = torch.optim.SGD(model.parameters(), lr=0.2)
budget = 13
for a, b in DataLoader(train_set, 20, shuffle=True):
    if budget == 0:
        break
    budget -= 1
    opt.zero_grad()
    nn.functional.cross_entropy(model(a), b).backward()
    opt.step()
model.eval()
with torch.no_grad():
    for name, part in (("train", train_set), ("test", test_set)):
        right = sum((model(a).argmax(1) == b).sum().item() for a, b in DataLoader(part, 50))
        print(f"{name} accuracy {right / len(part):.3f}")
