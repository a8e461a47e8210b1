"""No loader: an index permutation per epoch, sliced by hand; numpy does the bookkeeping."""
import numpy as np
import torch
import torch.nn.functional as F
from torchvision.datasets import MNIST

torch.manual_seed(0)
mnist = MNIST(root="data", download=True)
train_x = mnist.data.reshape(-1, 784).float() / 255.0
train_y = mnist.targets
test = MNIST(root="data", train=False, download=True)
test_x, test_y = test.data.reshape(-1, 784).float() / 255.0, test.targets


class MLP(torch.nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = torch.nn.ModuleList(torch.nn.Linear(i, o) for i, o in zip(sizes, sizes[1:]))

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = layer(x).relu()
        return self.layers[-1](x)


net = MLP([784, 64, 32, 10])
optim = torch.optim.Adam(net.parameters())
BATCH, N = 50, len(train_x)
for epoch in range(4):
    permutation = np.random.permutation(N)
    losses, weights = [], []
    for start in range(0, N, BATCH):
        take = torch.from_numpy(permutation[start:start + BATCH])
        optim.zero_grad()
        loss = F.cross_entropy(net(train_x[take]), train_y[take])
        loss.backward()
        optim.step()
        losses.append(loss.item())
        weights.append(len(take))
    with torch.no_grad():
        acc = (net(test_x).argmax(1) == test_y).numpy().mean()
    print(f"{epoch}: loss {np.average(losses, weights=weights):.4f} acc {acc:.4f}")
