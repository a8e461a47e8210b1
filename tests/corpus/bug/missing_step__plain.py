import torch
from torch import nn

torch.manual_seed(0)
X = torch.randn(200, 4)
y = (X[:, 0] > 0).float().unsqueeze(1)
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(5):
    for i in torch.randperm(200).split(20):
        optimizer.zero_grad()
        loss = criterion(model(X[i]), y[i])
        loss.backward()
    print(f"Epoch {epoch}: {loss.item():.4f}")
