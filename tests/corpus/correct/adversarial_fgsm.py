"""Adversarial training: gradients of the input first, then an ordinary step on both batches."""
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

torch.manual_seed(0)
tf = transforms.ToTensor()
train = DataLoader(datasets.MNIST("data", True, tf, download=True), 64, shuffle=True)
test = DataLoader(datasets.MNIST("data", False, tf, download=True), 64)
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 96), nn.ReLU(), nn.Linear(96, 10))
opt = torch.optim.Adam(model.parameters(), lr=2e-3)


def fgsm_attack(model, x, y, eps):
    x = x.clone().requires_grad_(True)
    loss = F.cross_entropy(model(x), y)
    grad, = torch.autograd.grad(loss, x)
    return (x + eps * grad.sign()).clamp(0, 1).detach()


for epoch in range(2):
    model.train()
    for x, y in train:
        adv = fgsm_attack(model, x, y, 0.1)
        opt.zero_grad()
        loss = 0.5 * (F.cross_entropy(model(x), y) + F.cross_entropy(model(adv), y))
        loss.backward()
        opt.step()
    print("epoch", epoch, loss.item())
model.eval()
clean = robust = 0
for x, y in test:
    adv = fgsm_attack(model, x, y, 0.1)         # needs the gradient by the input
    with torch.no_grad():
        clean += (model(x).argmax(1) == y).sum().item()
        robust += (model(adv).argmax(1) == y).sum().item()
print("clean", clean / len(test.dataset), "under attack", robust / len(test.dataset))
