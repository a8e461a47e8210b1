"""1-D convolutions on rare arrhythmias: BCE with pos_weight, best checkpoint on disk, early stopping."""
import os
import tempfile

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def beats(n, g):
    t = torch.linspace(0, 1, 64)
    y = (torch.rand(n, generator=g) < 0.15).float()
    centre = 0.5 + 0.1 * torch.randn(n, 1, generator=g)
    width = torch.where(y[:, None] == 1, 0.08, 0.04)
    sig = torch.exp(-(((t - centre) / width) ** 2)) + 0.15 * torch.randn(n, 64, generator=g)
    return TensorDataset(sig.unsqueeze(1), y.unsqueeze(1))


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv1d(1, 16, 7, padding=3), nn.BatchNorm1d(16), nn.ReLU(), nn.MaxPool1d(2),
            nn.Conv1d(16, 32, 5, padding=2), nn.BatchNorm1d(32), nn.ReLU(), nn.AdaptiveMaxPool1d(1),
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Dropout(0.3), nn.Linear(32, 1))

    def forward(self, x):
        return self.classifier(self.features(x))


def evaluate(model, loader, criterion):
    model.eval()
    loss, tp, fp, fn = 0.0, 0, 0, 0
    with torch.no_grad():
        for x, y in loader:
            x, y = x.to(DEVICE), y.to(DEVICE)
            logits = model(x)
            loss += criterion(logits, y).item() * x.size(0)
            pred = logits > 0
            tp += (pred & (y == 1)).sum().item()
            fp += (pred & (y == 0)).sum().item()
            fn += (~pred & (y == 1)).sum().item()
    return loss / len(loader.dataset), 2 * tp / max(2 * tp + fp + fn, 1)


g = torch.Generator().manual_seed(99)
torch.manual_seed(99)
train, val, test = beats(900, g), beats(250, g), beats(250, g)
loader = DataLoader(train, 36, shuffle=True)
val_loader, test_loader = DataLoader(val, 100), DataLoader(test, 100)
model = ConvNet().to(DEVICE)
positives = train.tensors[1].mean()
criterion = nn.BCEWithLogitsLoss(pos_weight=((1 - positives) / positives).to(DEVICE))
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
path = os.path.join(tempfile.mkdtemp(), "best.pth")
best, bad, patience = float("inf"), 0, 3
for epoch in range(20):
    model.train()
    for x, y in loader:
        x, y = x.to(DEVICE), y.to(DEVICE)
        opt.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        opt.step()
    val_loss, val_f1 = evaluate(model, val_loader, criterion)
    print(f"epoch {epoch} val loss {val_loss:.4f} F1 {val_f1:.3f}")
    if val_loss < best:
        best, bad = val_loss, 0
        torch.save(model.state_dict(), path)
    else:
        bad += 1
        if bad >= patience:
            print("early stop")
            break
model.load_state_dict(torch.load(path, map_location=DEVICE))
print("test", evaluate(model, test_loader, criterion))
