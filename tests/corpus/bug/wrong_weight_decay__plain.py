import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X = torch.randn(300, 8)
y = X[:, :4].argmax(1)
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 4))
weight_decay = 0.01
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=weight_decay)
criterion = nn.CrossEntropyLoss()
for epoch in range(5):
    for xb, yb in DataLoader(TensorDataset(X, y), 30, shuffle=True):
        optimizer.zero_grad()
        l2 = sum((p ** 2).sum() for p in model.parameters())
        loss = criterion(model(xb), yb) + weight_decay / 2 * l2
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
