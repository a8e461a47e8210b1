"""Kaggle-like churn prediction."""
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(8)
df = pd.DataFrame({"tenure": rng.integers(1, 72, 900), "charges": rng.normal(70, 20, 900), "calls": rng.poisson(2, 900)})
logit = 0.05 * (df.charges - 70) - 0.06 * (df.tenure - 36) + 0.6 * (df.calls - 2)
df["churn"] = (rng.random(900) < 1 / (1 + np.exp(-logit))).astype(int)
train_df, test_df = df.iloc[:700], df.iloc[700:]
cols = ["tenure", "charges", "calls"]
mu, sd = train_df[cols].mean(), train_df[cols].std()


def to_ds(d):
    return TensorDataset(
        torch.tensor(((d[cols] - mu) / sd).values, dtype=torch.float32), torch.tensor(d["churn"].values, dtype=torch.float32)
    )


class ChurnNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(3, 16), nn.Linear(16, 1)

    def forward(self, x):
        return self.fc2(torch.relu(self.fc1(x)))


train_dl, test_dl = DataLoader(to_ds(train_df), 35, shuffle=True), DataLoader(to_ds(test_df), 100)
model = ChurnNet()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(6):
    model.train()
    for x, y in train_dl:
        optimizer.zero_grad()
        loss = criterion(model(x), y.unsqueeze(1))
        loss.backward()
        optimizer.step()
    model.eval()
    correct = 0
    with torch.no_grad():
        for x, y in test_dl:
            correct += ((model(x).squeeze(1) > 0).float() == y).sum().item()
    print(f"epoch {epoch} loss {loss.item():.4f} acc {correct / 200:.3f}")
