"""Two towers, a learnt temperature, a symmetric contrastive loss; the temperature is clamped after each step."""
import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class TwoTowers(nn.Module):
    def __init__(self):
        super().__init__()
        self.image = nn.Sequential(nn.Linear(20, 48), nn.ReLU(), nn.Linear(48, 16))
        self.text = nn.Sequential(nn.Embedding(30, 16), nn.Flatten(), nn.Linear(48, 16))
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def forward(self, im, tx):
        a, b = F.normalize(self.image(im), dim=-1), F.normalize(self.text(tx), dim=-1)
        return self.logit_scale.exp() * a @ b.t()


torch.manual_seed(0)
words = torch.randint(30, (400, 3))
pictures = F.one_hot(words, 30).float().sum(1) @ torch.randn(30, 20) + 0.1 * torch.randn(400, 20)
tr, te = TensorDataset(pictures[:320], words[:320]), TensorDataset(pictures[320:], words[320:])
net = TwoTowers()
opt = torch.optim.AdamW(net.parameters(), lr=5e-3, weight_decay=0.1)
for epoch in range(6):
    net.train()
    for im, tx in DataLoader(tr, 40, shuffle=True, drop_last=True):
        logits = net(im, tx)
        labels = torch.arange(len(im))
        loss = (F.cross_entropy(logits, labels) + F.cross_entropy(logits.t(), labels)) / 2
        opt.zero_grad()
        loss.backward()
        opt.step()
        with torch.no_grad():
            net.logit_scale.clamp_(0, math.log(100))
    net.eval()
    with torch.no_grad():
        im, tx = te.tensors
        print(epoch, loss.item(), (net(im, tx).argmax(1) == torch.arange(80)).float().mean().item())
