import torch, torch.nn as nn
torch.manual_seed(0)
backbone = nn.Sequential(nn.Linear(8, 16), nn.ReLU())
class Clf(nn.Module):
    def __init__(self, backbone, n):
        super().__init__()
        self.backbone, self.head = backbone, nn.Linear(16, n)
    def forward(self, x):
        return self.head(self.backbone(x))
model = Clf(backbone, 10)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
model.head = nn.Linear(16, 2)  # our task has two classes
X = torch.randn(200, 8); y = (X[:, 0] > 0).long()
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, y), 20, shuffle=True)
for ep in range(3):
    for a, b in dl:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(a), b)
        loss.backward()
        optimizer.step()
    print(ep, loss.item())
