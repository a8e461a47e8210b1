"""A DataLoader whose worker is spawned, as on macOS and Windows: hence the main guard."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def make_sets():
    g = torch.Generator().manual_seed(0)
    x = torch.randn(240, 4, generator=g)
    y = (x ** 2).sum(1, keepdim=True)
    return TensorDataset(x[:200], y[:200]), TensorDataset(x[200:], y[200:])


def run():
    torch.manual_seed(0)
    train_set, val_set = make_sets()
    train = DataLoader(train_set, 40, shuffle=True, num_workers=1, multiprocessing_context="spawn",
                       persistent_workers=True)
    val = DataLoader(val_set, 40)
    net = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 1))
    opt = torch.optim.Adam(net.parameters(), lr=1e-2)
    for epoch in range(3):
        net.train()
        for x, y in train:
            opt.zero_grad()
            loss = nn.functional.mse_loss(net(x), y)
            loss.backward()
            opt.step()
        net.eval()
        with torch.no_grad():
            (x, y), = val
            print(epoch, loss.item(), nn.functional.mse_loss(net(x), y).item())


if __name__ == "__main__":
    run()
