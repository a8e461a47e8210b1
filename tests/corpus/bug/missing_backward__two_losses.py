"""Autoencoder with a sparsity term: the line with backward went when the second loss came."""
import torch
from torch import nn
from torch.utils.data import DataLoader


class SparseAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc, self.dec = nn.Linear(30, 12), nn.Linear(12, 30)

    def forward(self, x):
        code = torch.relu(self.enc(x))
        return self.dec(code), code


def train_epoch(model, loader, opt, beta=1e-3):
    model.train()
    total = 0.0
    for x in loader:
        recon, code = model(x)
        opt.zero_grad()
        rec_loss = nn.functional.mse_loss(recon, x)
        sparsity = code.abs().mean()
        loss = rec_loss + beta * sparsity
        opt.step()
        total += loss.item() * len(x)
    return total / len(loader.dataset)


data = torch.randn(600, 5) @ torch.randn(5, 30)
loader = DataLoader(data, 30, shuffle=True)
model = SparseAE()
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(6):
    print(epoch, train_epoch(model, loader, opt))
