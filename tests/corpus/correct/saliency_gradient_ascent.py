"""Train a classifier, then climb the gradient of one class in image space."""
import torch
from torch import nn
from torchvision import datasets

torch.manual_seed(0)
ds = datasets.MNIST("data", download=True)
X = (ds.data[:512].float() / 255).flatten(1)
y = ds.targets[:512]
net = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.Adam(net.parameters(), 3e-3)
for _ in range(4):
    for idx in torch.randperm(len(X)).split(64):
        opt.zero_grad()
        nn.functional.cross_entropy(net(X[idx]), y[idx]).backward()
        opt.step()

image = torch.full((1, 784), 0.5, requires_grad=True)
for it in range(30):
    if image.grad is not None:
        image.grad = None
    score = net(image)[0, 3]
    score.backward()
    with torch.no_grad():
        image += 0.2 * image.grad / (image.grad.norm() + 1e-8)
        image.clamp_(0, 1)
print("score of a dreamt 3:", score.item())
