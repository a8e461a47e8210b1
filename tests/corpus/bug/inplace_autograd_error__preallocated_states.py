"""Echo-like recurrent net written the numpy way: the states live in one array that is filled step by step."""
import numpy as np
import torch
import torch.nn as nn


class ArrayRNN(nn.Module):
    def __init__(self, n_in, n_hidden, n_out):
        super().__init__()
        self.Wx = nn.Linear(n_in, n_hidden)
        self.Wh = nn.Linear(n_hidden, n_hidden, bias=False)
        self.Wo = nn.Linear(n_hidden, n_out)
        self.n_hidden = n_hidden

    def forward(self, x):
        T, B, _ = x.shape
        states = torch.zeros(T + 1, B, self.n_hidden)
        for t in range(T):
            states[t + 1] = torch.tanh(self.Wx(x[t]) + self.Wh(states[t]))
        return self.Wo(states[1:])


def narma(n, length, rng):
    u = rng.uniform(0, 0.5, (length, n))
    y = np.zeros((length, n))
    for t in range(2, length):
        y[t] = 0.4 * y[t - 1] + 0.4 * y[t - 1] * y[t - 2] + 0.6 * u[t - 1] ** 3 + 0.1
    return torch.tensor(u[..., None], dtype=torch.float32), torch.tensor(y[..., None], dtype=torch.float32)


rng = np.random.default_rng(0)
torch.manual_seed(0)
x, y = narma(256, 20, rng)
net = ArrayRNN(1, 24, 1)
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(10):
    order = rng.permutation(256)
    for k in range(0, 256, 32):
        b = torch.from_numpy(order[k:k + 32])
        loss = ((net(x[:, b]) - y[:, b]) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    print("epoch", epoch, "loss", loss.item())
