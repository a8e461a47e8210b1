"""Multi-label tags with BCEWithLogits and pos_weight; F1 at the end, thresholded on probabilities."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(480, 10)
tags = (x @ torch.randn(10, 4) > 1.5).float()
train_ds, test_ds = TensorDataset(x[:400], tags[:400]), TensorDataset(x[400:], tags[400:])
train_dl, test_dl = DataLoader(train_ds, 40, shuffle=True), DataLoader(test_ds, 40)
pos = tags[:400].sum(0)
criterion = nn.BCEWithLogitsLoss(pos_weight=(400 - pos) / pos)
model = nn.Sequential(nn.Linear(10, 40), nn.PReLU(), nn.Linear(40, 4))
opt = torch.optim.AdamW(model.parameters(), lr=1e-2)
for epoch in range(6):
    model.train()
    for a, b in train_dl:
        opt.zero_grad()
        criterion(model(a), b).backward()
        opt.step()
model.eval()
tp = fp = fn = 0
with torch.no_grad():
    for a, b in test_dl:
        p = (torch.sigmoid(model(a)) > 0.5).float()
        tp += (p * b).sum().item()
        fp += (p * (1 - b)).sum().item()
        fn += ((1 - p) * b).sum().item()
print("F1", 2 * tp / (2 * tp + fp + fn))
