"""Softmax regression; the update uses what the batch before left behind."""
import torch
import torch.nn.functional as F
from torchvision import datasets


def train_step(model, opt, x, y):
    loss = F.cross_entropy(model(x), y)
    opt.step()
    opt.zero_grad()
    loss.backward()
    return loss.item()


torch.manual_seed(0)
ds = datasets.FashionMNIST("./data", download=True)
X, y = ds.data[:640].view(-1, 784).float() / 255, ds.targets[:640]
model = torch.nn.Linear(784, 10)
opt = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(4):
    total = sum(train_step(model, opt, X[i], y[i]) for i in torch.randperm(len(X)).split(64))
    print(epoch, total / 10)
