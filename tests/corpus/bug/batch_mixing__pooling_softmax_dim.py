"""Multiple-instance learning: attention pooling over the bag (digits, is there a 7 in the bag?)."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class Bags(Dataset):
    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.y = (torch.rand(n, generator=g) < 0.5).float()
        self.x = torch.randn(n, 9, 10, generator=g)
        witness = torch.randint(9, (n,), generator=g)
        self.x[torch.arange(n), witness, :5] += 2.5 * self.y[:, None]

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class AttentionPool(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.V, self.U, self.w = nn.Linear(d, h), nn.Linear(d, h), nn.Linear(h, 1)

    def forward(self, H):
        a = self.w(torch.tanh(self.V(H)) * torch.sigmoid(self.U(H)))
        a = F.softmax(a, dim=0)
        return (a * H).sum(dim=1), a


class MIL(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(10, 32), nn.ReLU())
        self.pool = AttentionPool(32, 16)
        self.classifier = nn.Linear(32, 1)

    def forward(self, bag):
        M, A = self.pool(self.embed(bag))
        return self.classifier(M).squeeze(-1), A


torch.manual_seed(1)
train, test = DataLoader(Bags(800, 1), 32, shuffle=True), DataLoader(Bags(256, 2), 64)
model = MIL()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, weight_decay=1e-5)
for epoch in range(6):
    model.train()
    for bag, label in train:
        optimizer.zero_grad()
        logits, _ = model(bag)
        F.binary_cross_entropy_with_logits(logits, label).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        right = sum(((model(bag)[0] > 0) == (label > 0)).sum().item() for bag, label in test)
    print("epoch", epoch, "accuracy", right / len(test.dataset))
