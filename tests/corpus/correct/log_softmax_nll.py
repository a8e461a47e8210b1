"""log_softmax inside the model, NLLLoss outside; batch norm and a convolution."""
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils import data
from torchvision import datasets, transforms


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 8, 5, stride=2)
        self.bn = nn.BatchNorm2d(8)
        self.c2 = nn.Conv2d(8, 8, 3, stride=2)
        self.out = nn.Linear(200, 10)

    def forward(self, x):
        x = F.relu(self.bn(self.c1(x)))
        x = F.relu(self.c2(x))
        return F.log_softmax(self.out(x.flatten(1)), dim=-1)


def run(net, loader, loss_fn, opt=None):
    net.train(opt is not None)
    total = right = n = 0
    with torch.set_grad_enabled(opt is not None):
        for x, y in loader:
            logp = net(x)
            loss = loss_fn(logp, y)
            if opt:
                opt.zero_grad()
                loss.backward()
                opt.step()
            total += loss.item() * y.size(0)
            right += logp.argmax(1).eq(y).sum().item()
            n += y.size(0)
    return total / n, right / n


if __name__ == '__main__':
    torch.manual_seed(0)
    t = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    tr = data.DataLoader(datasets.MNIST('~/.data', train=True, transform=t, download=True), 64, shuffle=True)
    te = data.DataLoader(datasets.MNIST('~/.data', train=False, transform=t, download=True), 256)
    net, nll = ConvNet(), nn.NLLLoss()
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    for e in range(2):
        print('train %.4f %.3f' % run(net, tr, nll, opt), 'test %.4f %.3f' % run(net, te, nll))
