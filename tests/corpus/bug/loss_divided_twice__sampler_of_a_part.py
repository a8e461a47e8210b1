"""A quarter of the rows validates, by a sampler; their losses are divided by the length of the whole data set."""
import torch
from torch import nn
from torch.utils.data import DataLoader, SubsetRandomSampler, TensorDataset

torch.manual_seed(0)
x = torch.randn(600, 8)
rows = TensorDataset(x, (x @ torch.randn(8, 3)).argmax(1))
order = torch.randperm(600).tolist()
train = DataLoader(rows, 30, sampler=SubsetRandomSampler(order[150:]))
valid = DataLoader(rows, 30, sampler=SubsetRandomSampler(order[:150]))
model, loss_of = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3)), nn.CrossEntropyLoss()
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(4):
    model.train()
    for a, b in train:
        opt.zero_grad()
        loss_of(model(a), b).backward()
        opt.step()
    model.eval()
    total = 0.0
    with torch.no_grad():
        for a, b in valid:
            total += loss_of(model(a), b).item() * a.size(0)
    print(f"epoch {epoch} validation loss {total / len(valid.dataset):.6f}")
