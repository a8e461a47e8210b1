import torch
import torch.nn as nn
from torch.utils.data import Dataset, DataLoader


class HousePrices(Dataset):
    def __init__(self, n, w):
        self.x = torch.randn(n, 10)
        self.y = self.x @ w + torch.sin(self.x[:, 0]) + 0.1 * torch.randn(n)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class Regressor(nn.Module):
    def __init__(self, in_dim):
        super().__init__()
        self.hidden = nn.Linear(in_dim, 32)
        self.out = nn.Linear(32, 1)

    def forward(self, x):
        return self.out(torch.relu(self.hidden(x)))


def fit(net, loader, epochs=5):
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for epoch in range(epochs):
        epoch_loss = 0.0
        for x, y in loader:
            y_hat = net(x)
            loss = torch.mean(torch.square(y_hat - y))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            epoch_loss += loss.item() * len(y)
        print("epoch", epoch, "mse", epoch_loss / len(loader.dataset))


w = torch.randn(10)
fit(Regressor(10), DataLoader(HousePrices(600, w), batch_size=30, shuffle=True))
