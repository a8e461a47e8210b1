"""The prediction is taken along the batch instead of the classes."""
import torch
from torch import nn

torch.manual_seed(0)
C = 10
x = torch.randn(500, 12)
y = (x @ torch.randn(12, C)).argmax(1)
clf = nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Linear(64, C))
opt = torch.optim.Adam(clf.parameters(), lr=1e-2)


def accuracy(model, feats, labels):
    """Share of right answers over batches of ten."""
    model.eval()
    good = 0
    with torch.no_grad():
        for f, l in zip(feats.split(10), labels.split(10)):
            good += int((model(f).argmax(0) == l).sum())
    return good / len(labels)


for epoch in range(6):
    clf.train()
    for i in torch.randperm(400).split(40):
        opt.zero_grad()
        nn.functional.cross_entropy(clf(x[i]), y[i]).backward()
        opt.step()
    print("epoch", epoch, "test accuracy", accuracy(clf, x[400:], y[400:]))
