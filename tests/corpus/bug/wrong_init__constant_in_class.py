"""Regression with a small class of its own; "start every weight at the same small value"."""
import torch
import torch.nn.functional as F


class Net(torch.nn.Module):
    def __init__(self, n_in, n_hidden):
        super().__init__()
        self.inner = torch.nn.Linear(n_in, n_hidden)
        self.outer = torch.nn.Linear(n_hidden, 1)
        with torch.no_grad():
            for p in self.parameters():
                p.copy_(torch.full_like(p, 0.05))

    def forward(self, x):
        return self.outer(F.relu(self.inner(x)))


def main():
    torch.manual_seed(1)
    x = torch.rand(200, 4)
    y = torch.sin(3 * x[:, :1]) + x[:, 1:2] ** 2
    model = Net(4, 24)
    opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for epoch in range(30):
        for rows in torch.randperm(200).split(25):
            opt.zero_grad()
            loss = F.mse_loss(model(x[rows]), y[rows])
            loss.backward()
            opt.step()
    print(loss.item(), model.inner.weight.std(0))


main()
