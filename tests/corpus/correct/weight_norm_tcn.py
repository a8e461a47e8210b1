"""Temporal convolutional network (causal, dilated, weight-normed) on the adding problem."""
import torch
import torch.nn as nn
import torch.optim as optim
from torch.nn.utils.parametrizations import weight_norm


class Chomp1d(nn.Module):
    def __init__(self, chomp_size):
        super().__init__()
        self.chomp_size = chomp_size

    def forward(self, x):
        return x[:, :, :-self.chomp_size].contiguous()


class TemporalBlock(nn.Module):
    def __init__(self, n_in, n_out, k, dilation, dropout):
        super().__init__()
        pad = (k - 1) * dilation
        layers = []
        for i in range(2):
            layers += [weight_norm(nn.Conv1d(n_in if i == 0 else n_out, n_out, k, padding=pad, dilation=dilation)), Chomp1d(pad), nn.ReLU(), nn.Dropout(dropout)]
        self.net = nn.Sequential(*layers)
        self.downsample = nn.Conv1d(n_in, n_out, 1) if n_in != n_out else None

    def forward(self, x):
        res = x if self.downsample is None else self.downsample(x)
        return torch.relu(self.net(x) + res)


class TCN(nn.Module):
    def __init__(self, channels=(16, 16, 16, 16), k=4, dropout=0.0):
        super().__init__()
        dims = (2,) + tuple(channels)
        self.tcn = nn.Sequential(*[TemporalBlock(a, b, k, 2 ** i, dropout) for i, (a, b) in enumerate(zip(dims, dims[1:]))])
        self.linear = nn.Linear(channels[-1], 1)

    def forward(self, x):
        return self.linear(self.tcn(x)[:, :, -1])


def data_generator(N, seq_length):
    X_num = torch.rand(N, 1, seq_length)
    X_mask = torch.zeros(N, 1, seq_length)
    for i in range(N):
        X_mask[i, 0, torch.randperm(seq_length)[:2]] = 1
    return torch.cat((X_num, X_mask), dim=1), (X_num * X_mask).sum(2)


torch.manual_seed(1111)
batch_size, seq_length, clip = 32, 16, 0.5
X_train, Y_train = data_generator(1280, seq_length)
X_test, Y_test = data_generator(200, seq_length)
model = TCN()
lr = 4e-3
optimizer = optim.Adam(model.parameters(), lr=lr)

for epoch in range(1, 5):
    model.train()
    total, order = 0, torch.randperm(len(X_train))
    for batch_idx, i in enumerate(range(0, len(order), batch_size)):
        x, y = X_train[order[i:i + batch_size]], Y_train[order[i:i + batch_size]]
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        if clip > 0:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        total += loss.item()
        if (batch_idx + 1) % 20 == 0:
            print(f'Epoch {epoch} [{i + batch_size}/{len(order)}] lr {lr} loss {total / 20:.5f}')
            total = 0
    model.eval()
    with torch.no_grad():
        print('Test set: Average loss: {:.6f}\n'.format(nn.functional.mse_loss(model(X_test), Y_test).item()))
