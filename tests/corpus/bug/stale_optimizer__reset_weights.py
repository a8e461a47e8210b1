"""Three restarts, best one wins. The optimizer is made before the model is made anew."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)
x = torch.randn(500, 8)
y = (x[:, 0] * x[:, 1] + x[:, 2] > 0).long()
loader = DataLoader(TensorDataset(x[:400], y[:400]), 40, shuffle=True)


class Experiment:
    def __init__(self):
        self.setup_model()
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=5e-3)

    def setup_model(self):
        self.model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 2))

    def run(self, epochs=5):
        for _ in range(epochs):
            self.model.train()
            for a, b in loader:
                self.optimizer.zero_grad()
                loss = nn.functional.cross_entropy(self.model(a), b)
                loss.backward()
                self.optimizer.step()
        self.model.eval()
        with torch.no_grad():
            return (self.model(x[400:]).argmax(1) == y[400:]).float().mean().item()


exp = Experiment()
for restart in range(3):
    exp.setup_model()
    print("restart", restart, "accuracy", exp.run())
