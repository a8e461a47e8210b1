"""A small residual network with mixup, random erasing, SGD with warm restarts, and a resume in the middle."""
import os
import tempfile

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision
import torchvision.transforms as T

SEED = 13
np.random.seed(SEED)
torch.manual_seed(SEED)
normal = T.Normalize((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
train_tf = T.Compose([T.RandomCrop(16, padding=2), T.RandomHorizontalFlip(), T.ToTensor(), normal, T.RandomErasing(p=0.3)])
test_tf = T.Compose([T.ToTensor(), normal])
trainset = torchvision.datasets.FakeData(192, (3, 16, 16), 4, train_tf, random_offset=0)
testset = torchvision.datasets.FakeData(64, (3, 16, 16), 4, test_tf, random_offset=10_000)
trainloader = torch.utils.data.DataLoader(trainset, batch_size=32, shuffle=True)
testloader = torch.utils.data.DataLoader(testset, batch_size=32, shuffle=False)


class BasicBlock(nn.Module):
    def __init__(self, inp, out, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inp, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out)
        self.conv2, self.bn2 = nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out)
        self.shortcut = nn.Sequential()
        if stride != 1 or inp != out:
            self.shortcut = nn.Sequential(nn.Conv2d(inp, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(out + self.shortcut(x))


def build():
    net = nn.Sequential(BasicBlock(3, 8, 1), BasicBlock(8, 16, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 4))
    opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    return net, opt, torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, T_0=2)


criterion = nn.CrossEntropyLoss()


def mixup_data(x, y, alpha=0.4):
    lam = np.random.beta(alpha, alpha)
    index = torch.randperm(x.size(0))
    return lam * x + (1 - lam) * x[index], y, y[index], lam


def train(net, opt, sched, epoch):
    net.train()
    train_loss, correct, total = 0, 0, 0
    for batch_idx, (inputs, targets) in enumerate(trainloader):
        inputs, targets_a, targets_b, lam = mixup_data(inputs, targets)
        outputs = net(inputs)
        loss = lam * criterion(outputs, targets_a) + (1 - lam) * criterion(outputs, targets_b)
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step(epoch + (batch_idx + 1) / len(trainloader))
        train_loss += loss.item()
        predicted = outputs.argmax(1)
        total += targets.size(0)
        correct += lam * predicted.eq(targets_a).sum().item() + (1 - lam) * predicted.eq(targets_b).sum().item()
    print(f"train {epoch}: {train_loss / (batch_idx + 1):.3f} {100.0 * correct / total:.1f}%")


def test(net):
    net.eval()
    correct = total = 0
    with torch.no_grad():
        for inputs, targets in testloader:
            outputs = net(inputs)
            total += targets.size(0)
            correct += outputs.argmax(1).eq(targets).sum().item()
    return 100.0 * correct / total


net, opt, sched = build()
path = os.path.join(tempfile.gettempdir(), f"ckpt_{os.getpid()}.pth")
for epoch in range(2):
    train(net, opt, sched, epoch)
torch.save({"net": net.state_dict(), "opt": opt.state_dict(), "sched": sched.state_dict(), "acc": test(net), "epoch": 1}, path)
net, opt, sched = build()
checkpoint = torch.load(path, map_location="cpu")
net.load_state_dict(checkpoint["net"])
opt.load_state_dict(checkpoint["opt"])
sched.load_state_dict(checkpoint["sched"])
os.remove(path)
for epoch in range(checkpoint["epoch"] + 1, 4):
    train(net, opt, sched, epoch)
    print(f"test: {test(net):.1f}%")
