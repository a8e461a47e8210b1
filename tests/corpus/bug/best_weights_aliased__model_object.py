"""best_model is another name for the model."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(3)
x = torch.randn(120, 8)
y = (x[:, 0] + torch.randn(120) > 0).long()
tr, va = random_split(TensorDataset(x, y), [60, 60])
train_dl, val_dl = DataLoader(tr, 10, shuffle=True), DataLoader(va, 60)
model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 2))
opt = torch.optim.Adam(model.parameters(), 2e-2)
best_model, best_loss = None, float("inf")
for epoch in range(12):
    model.train()
    for a, b in train_dl:
        opt.zero_grad()
        nn.functional.cross_entropy(model(a), b).backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        a, b = next(iter(val_dl))
        val = nn.functional.cross_entropy(model(a), b).item()
    if val < best_loss:
        best_loss, best_model = val, model
    print(epoch, val)
torch.save(best_model.state_dict(), "best.pt")
print("best", best_loss)
