"""Feature extraction: everything frozen but the new head; deepcopy of the best weights."""
import copy

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
X = torch.randn(400, 20)
proj = torch.randn(20, 3)
Y = (X @ proj).argmax(1)
train_set, val_set = random_split(TensorDataset(X, Y), [320, 80])
train_loader = DataLoader(train_set, 32, shuffle=True)
val_loader = DataLoader(val_set, 80)

body = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
for param in body.parameters():
    param.requires_grad = False
model = nn.Sequential(body, nn.Linear(64, 3))
optimizer = torch.optim.Adam(model[1].parameters(), lr=5e-2)
criterion = nn.CrossEntropyLoss()

best_model_wts = copy.deepcopy(model.state_dict())
best_acc = 0.0
for epoch in range(6):
    model.train()
    for xb, yb in train_loader:
        optimizer.zero_grad()
        criterion(model(xb), yb).backward()
        optimizer.step()
    model.eval()
    hits = 0
    with torch.no_grad():
        for xb, yb in val_loader:
            hits += (model(xb).argmax(1) == yb).sum().item()
    acc = hits / len(val_set)
    print(epoch, acc)
    if acc > best_acc:
        best_acc = acc
        best_model_wts = copy.deepcopy(model.state_dict())
model.load_state_dict(best_model_wts)
print("best", best_acc)
