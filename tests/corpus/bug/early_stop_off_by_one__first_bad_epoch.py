"""Early stopping with patience 3 that counts the best epoch itself and stops after two bad ones."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(5)


class EarlyStopping:
    """Stop when the validation loss has not improved for `patience` epochs in a row."""

    def __init__(self, patience=3):
        self.patience, self.best, self.bad_epochs = patience, float("inf"), 1

    def update(self, val_loss):
        if val_loss < self.best:
            self.best, self.bad_epochs = val_loss, 1
        else:
            self.bad_epochs += 1
        return self.bad_epochs >= self.patience


x, w = torch.randn(360, 30), torch.randn(30)
y = ((x @ w) / 5 + 0.8 * torch.randn(360) > 0).long()
train, val = DataLoader(TensorDataset(x[:60], y[:60]), 20, shuffle=True), DataLoader(TensorDataset(x[60:], y[60:]), 100)
model = nn.Sequential(nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 2))
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
stopper = EarlyStopping(patience=3)
for epoch in range(60):
    model.train()
    for a, b in train:
        opt.zero_grad()
        nn.functional.cross_entropy(model(a), b).backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        val_loss = sum(nn.functional.cross_entropy(model(a), b, reduction="sum").item() for a, b in val) / 300
    print(f"epoch {epoch} val loss {val_loss:.4f}")
    if stopper.update(val_loss):
        print("early stopping after", stopper.patience, "epochs without improvement")
        break
