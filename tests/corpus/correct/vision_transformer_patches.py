"""A tiny vision transformer with a class token."""
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


class ViT(nn.Module):
    def __init__(self, patch=7, dim=32, heads=4, depth=1, classes=10):
        super().__init__()
        self.patches = nn.Conv2d(1, dim, patch, stride=patch)
        self.cls = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos = nn.Parameter(torch.randn(1, 17, dim) * 0.02)
        layer = nn.TransformerEncoderLayer(dim, heads, 64, dropout=0.1, activation="gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, depth)
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, classes)

    def forward(self, x):
        t = self.patches(x).flatten(2).transpose(1, 2)
        t = torch.cat([self.cls.expand(len(x), -1, -1), t], dim=1) + self.pos
        return self.head(self.norm(self.encoder(t)[:, 0]))


torch.manual_seed(0)
tf = transforms.ToTensor()
train = DataLoader(datasets.MNIST("data", True, tf, download=True), 50, shuffle=True)
test = DataLoader(datasets.MNIST("data", False, tf, download=True), 100)
model = ViT()
opt = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
for epoch in range(2):
    model.train()
    for x, y in train:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        ok = sum((model(x).argmax(1) == y).sum().item() for x, y in test)
    print(epoch, loss.item(), ok / len(test.dataset))
