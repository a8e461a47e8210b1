import torch
import torch.nn as nn

torch.manual_seed(0)
X = torch.randn(400, 2)
y = ((X ** 2).sum(1) < 1.2).float().unsqueeze(1)
model = nn.Sequential(nn.Linear(2, 24), nn.ReLU(), nn.Linear(24, 1), nn.Sigmoid())
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(8):
    for idx in torch.randperm(400).split(40):
        optimizer.zero_grad()
        loss = criterion(model(X[idx]), y[idx])
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
