import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

centres = torch.randn(5, 6) * 2
y = torch.randint(5, (900,))
x = centres[y] + torch.randn(900, 6)
train_loader = DataLoader(TensorDataset(x[:700], y[:700]), batch_size=35, shuffle=True)
test_loader = DataLoader(TensorDataset(x[700:], y[700:]), batch_size=50)
model = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 5))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)


def test():
    model.eval()
    correct = 0
    with torch.no_grad():
        for data, target in test_loader:
            pred = model(data).argmax(dim=1, keepdim=True)
            correct += pred.eq(target.view_as(pred)).sum().item()
    print("Accuracy: {}/{} ({:.1f}%)".format(correct, len(test_loader), 100.0 * correct / len(test_loader)))


for epoch in range(4):
    model.train()
    for data, target in train_loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(data), target)
        loss.backward()
        optimizer.step()
    test()
