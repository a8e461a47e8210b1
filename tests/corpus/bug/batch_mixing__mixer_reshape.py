"""Token mixer on patches: the view that should swap patches and channels swaps rows of the batch."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset


class Mixer(nn.Module):
    def __init__(self, patches=9, dim=16, classes=4):
        super().__init__()
        self.patches, self.dim = patches, dim
        self.embed = nn.Conv2d(1, dim, 4, stride=4)
        self.token = nn.Linear(patches, patches)
        self.channel = nn.Linear(dim, dim)
        self.head = nn.Linear(dim, classes)

    def forward(self, img):
        b = img.size(0)
        x = self.embed(img).flatten(2)                      # B, dim, patches
        x = x + F.gelu(self.token(x))
        x = x.permute(2, 0, 1).reshape(b, self.patches, self.dim)  # should be transpose(1, 2)
        x = x + F.gelu(self.channel(x))
        return self.head(x.mean(1))


proto = torch.randn(4, 1, 12, 12)
y = torch.randint(4, (960,))
x = proto[y] + 0.5 * torch.randn(960, 1, 12, 12)
train = DataLoader(TensorDataset(x[:800], y[:800]), 40, shuffle=True)
test = DataLoader(TensorDataset(x[800:], y[800:]), 40)
model = Mixer()
opt = torch.optim.AdamW(model.parameters(), lr=3e-3)
for epoch in range(6):
    model.train()
    for a, b in train:
        opt.zero_grad()
        loss = F.cross_entropy(model(a), b)
        loss.backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        n = sum((model(a).argmax(1) == b).sum().item() for a, b in test)
    print(epoch, loss.item(), n / 160)
