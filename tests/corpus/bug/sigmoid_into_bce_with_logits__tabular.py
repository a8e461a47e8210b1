import torch
import torch.nn as nn
class Classifier(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(d, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())
    def forward(self, x):
        return self.net(x).squeeze(-1)
torch.manual_seed(0)
X = torch.randn(400, 6)
y = ((X[:, 0] * X[:, 1]) > 0).float()
train = torch.utils.data.TensorDataset(X[:300], y[:300])
loader = torch.utils.data.DataLoader(train, batch_size=30, shuffle=True)
model = Classifier(6)
opt = torch.optim.AdamW(model.parameters(), lr=3e-3)
loss_fn = nn.BCEWithLogitsLoss()
for epoch in range(5):
    model.train()
    for xb, yb in loader:
        loss = loss_fn(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        acc = ((model(X[300:]) > 0.5).float() == y[300:]).float().mean()
    print(epoch, acc.item())
