"""Probabilities come out of the model; their logarithm goes into NLL, which is cross-entropy by hand."""
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(784, 64)
        self.out = nn.Linear(64, 10)

    def forward(self, x):
        return F.softmax(self.out(F.relu(self.hidden(x.flatten(1)))), dim=1)


torch.manual_seed(0)
tf = transforms.ToTensor()
train = DataLoader(datasets.MNIST("data", True, tf, download=True), 64, shuffle=True)
test = DataLoader(datasets.MNIST("data", False, tf, download=True), 64)
net = Net()
opt = torch.optim.Adam(net.parameters(), 2e-3)
for epoch in range(2):
    net.train()
    for x, y in train:
        probs = net(x)
        loss = F.nll_loss(torch.log(probs + 1e-9), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        print(epoch, loss.item(), sum((net(x).argmax(1) == y).sum().item() for x, y in test) / len(test.dataset))
