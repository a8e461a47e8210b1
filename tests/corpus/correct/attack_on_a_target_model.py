"""Adversarial training; the attack calls its victim `target_model`, which is the model that is trained."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(160, 6)
y = (x[:, 0] * x[:, 1] > 0).long()
model = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 2))
opt = torch.optim.Adam(model.parameters(), lr=5e-3)


def attack(target_model, images, labels, size=0.1):
    with torch.no_grad():
        clean = target_model(images).argmax(1)
    moved = images.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(nn.functional.cross_entropy(target_model(moved), labels), moved)
    return torch.where((clean == labels)[:, None], images + size * gradient.sign(), images).detach()


for epoch in range(5):
    for images, labels in DataLoader(TensorDataset(x, y), 32, shuffle=True):
        loss = nn.functional.cross_entropy(model(attack(model, images, labels)), labels)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
