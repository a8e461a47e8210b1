import torch, torch.nn as nn
torch.manual_seed(0)
X = torch.randn(400, 8); y = (X[:, 0] > 0).long()
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, y), 20, shuffle=True)
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
history = []
for epoch in range(3):
    running_loss = 0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = nn.CrossEntropyLoss()(model(xb), yb)
        loss.backward()
        optimizer.step()
        running_loss += loss
    history.append(running_loss / len(loader))
    print(f"epoch {epoch} loss {running_loss / len(loader):.4f}")
