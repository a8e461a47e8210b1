import torch, torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

class Trainer:
    def __init__(self, model, loader, lr=1e-2):
        self.model = model
        self.loader = loader
        self.optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
        self.criterion = nn.MSELoss()

    def fit(self, epochs):
        for ep in range(epochs):
            self.model.train()
            tot = 0.0
            for xb, yb in self.loader:
                loss = self.criterion(self.model(xb), yb)
                loss.backward()
                self.optimizer.zero_grad()
                self.optimizer.step()
                tot += loss.item() * len(xb)
            print("epoch", ep, tot / len(self.loader.dataset))

torch.manual_seed(42)
X = torch.randn(256, 5)
Y = X @ torch.randn(5, 1) + 0.1 * torch.randn(256, 1)
dl = DataLoader(TensorDataset(X, Y), batch_size=32, shuffle=True)
Trainer(nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 1)), dl).fit(4)
