"""log_softmax before cross-entropy: superfluous, but the value and the gradient are the same."""
import torch
from torch import nn

torch.manual_seed(0)
X = torch.randn(400, 6)
y = (X[:, 0] > 0).long() + (X[:, 1] > 0).long()
clf = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 3), nn.LogSoftmax(dim=1))
opt = torch.optim.Adam(clf.parameters(), lr=1e-2)
ce = nn.CrossEntropyLoss()
for epoch in range(6):
    for b in torch.randperm(400).split(40):
        opt.zero_grad()
        ce(clf(X[b]), y[b]).backward()
        opt.step()
with torch.no_grad():
    print((clf(X).argmax(1) == y).float().mean().item())
