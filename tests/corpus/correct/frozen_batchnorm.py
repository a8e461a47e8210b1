"""Fine-tuning with batch norm kept in eval mode on purpose, through an overridden train()."""
import torch
from torch import nn


class FrozenBN(nn.Module):
    def __init__(self, pretrained):
        super().__init__()
        self.net = pretrained
        self.classifier = nn.Linear(8, 3)

    def train(self, mode=True):
        super().train(mode)
        for m in self.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.eval()
                m.weight.requires_grad_(False)
                m.bias.requires_grad_(False)
        return self

    def forward(self, x):
        return self.classifier(self.net(x).mean(dim=(2, 3)))


torch.manual_seed(0)
y = torch.randint(3, (240,))
x = torch.randn(240, 1, 12, 12)
x[torch.arange(240), 0, y * 4] += 2.0
pre = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
with torch.no_grad():          # stands for the statistics of an earlier training
    for _ in range(20):
        pre(torch.randn(32, 1, 12, 12))
model = FrozenBN(pre)
opt = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-2)
for epoch in range(4):
    model.train()
    for i in torch.randperm(200).split(25):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(x[i]), y[i])
        loss.backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        acc = (model(x[200:]).argmax(1) == y[200:]).float().mean()
    print(f"{epoch} {loss.item():.3f} {acc:.3f}")
