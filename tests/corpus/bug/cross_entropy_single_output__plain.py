import torch
import torch.nn as nn
import torch.optim as optim

torch.manual_seed(0)
X = torch.randn(300, 5)
y = (X.sum(1) > 0).float().unsqueeze(1)
model = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 1))
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(model.parameters(), lr=0.1)
for epoch in range(5):
    for i in torch.randperm(300).split(30):
        optimizer.zero_grad()
        loss = criterion(model(X[i]), y[i])
        loss.backward()
        optimizer.step()
    print("epoch", epoch, "loss", loss.item())
