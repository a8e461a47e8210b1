"""Madry-style adversarial training; the attack runs in eval mode and leaves no gradient in the weights."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 16, 4, stride=4)
        self.bn = nn.BatchNorm2d(16)
        self.fc = nn.Linear(16 * 49, 10)

    def forward(self, x):
        return self.fc(F.relu(self.bn(self.conv(x))).flatten(1))


def pgd(model, x, y, eps=0.1, alpha=0.05, iters=3):
    was = model.training
    model.eval()
    adv = (x + torch.empty_like(x).uniform_(-eps, eps)).clamp(0, 1)
    for _ in range(iters):
        adv.requires_grad_(True)
        (g,) = torch.autograd.grad(F.cross_entropy(model(adv), y), adv)
        adv = (x + (adv.detach() + alpha * g.sign() - x).clamp(-eps, eps)).clamp(0, 1)
    model.train(was)
    return adv.detach()


def train(args, model, device, loader, optimizer, epoch):
    model.train()
    for batch_idx, (data, target) in enumerate(loader):
        data, target = data.to(device), target.to(device)
        adv = pgd(model, data, target)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(adv), target)
        loss.backward()
        optimizer.step()
        if batch_idx % args["log_interval"] == 0:
            print(f"Train Epoch: {epoch} [{batch_idx * len(data)}/{len(loader.dataset)}] Loss: {loss.item():.4f}")


def test(model, device, loader):
    model.eval()
    clean = robust = 0
    for data, target in loader:
        data, target = data.to(device), target.to(device)
        adv = pgd(model, data, target)
        with torch.no_grad():
            clean += (model(data).argmax(1) == target).sum().item()
            robust += (model(adv).argmax(1) == target).sum().item()
    n = len(loader.dataset)
    print(f"clean {clean / n:.3f} robust {robust / n:.3f}")


def main():
    args = {"epochs": 2, "log_interval": 10, "lr": 1e-2}
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    loaders = [
        DataLoader(datasets.MNIST("../data", train=t, download=True, transform=transforms.ToTensor()), 50, shuffle=t) for t in (True, False)
    ]
    model = Net().to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=args["lr"])
    for epoch in range(1, args["epochs"] + 1):
        train(args, model, device, loaders[0], optimizer, epoch)
        test(model, device, loaders[1])


if __name__ == "__main__":
    main()
