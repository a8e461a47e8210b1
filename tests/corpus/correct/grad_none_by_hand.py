"""Gradients cleared by p.grad = None, in one place, just before backward."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 4))
sgd = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
X = torch.randn(300, 10)
Y = X[:, :4].argmax(1)
for epoch in range(5):
    for ids in torch.utils.data.DataLoader(range(300), batch_size=30, shuffle=True):
        logits = net(X[ids])
        loss = nn.functional.cross_entropy(logits, Y[ids])
        for p in net.parameters():
            p.grad = None
        loss.backward()
        sgd.step()
    print(epoch, loss.item())
