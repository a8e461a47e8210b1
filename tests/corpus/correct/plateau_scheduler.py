"""ReduceLROnPlateau fed with the validation loss once per epoch."""
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(11)
x = torch.linspace(-3, 3, 360).unsqueeze(1)
y = x.pow(3) / 9 + 0.2 * torch.randn_like(x)
train, val = random_split(TensorDataset(x, y), [288, 72])
train_dl, val_dl = DataLoader(train, 24, shuffle=True), DataLoader(val, 72)
model = nn.Sequential(nn.Linear(1, 40), nn.Sigmoid(), nn.Linear(40, 1))
optimizer = torch.optim.RMSprop(model.parameters(), lr=0.02)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, "min", factor=0.3, patience=2)
for epoch in range(15):
    model.train()
    for xb, yb in train_dl:
        optimizer.zero_grad()
        nn.MSELoss()(model(xb), yb).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        val_loss = sum(nn.functional.mse_loss(model(xb), yb, reduction="sum").item() for xb, yb in val_dl) / len(val)
    scheduler.step(val_loss)
    print(epoch, round(val_loss, 4), optimizer.param_groups[0]["lr"])
