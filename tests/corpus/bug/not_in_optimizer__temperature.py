"""Contrastive learning of two views: the learnable temperature stands beside the encoders, and outside the optimizer."""
import math

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
hidden = torch.randn(256, 6)
images, texts = hidden @ torch.randn(6, 20), hidden @ torch.randn(6, 12)
image_tower, text_tower = nn.Linear(20, 8), nn.Linear(12, 8)
logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
optimizer = torch.optim.AdamW([*image_tower.parameters(), *text_tower.parameters()], lr=1e-2)
for epoch in range(4):
    for rows in torch.randperm(256).split(32):
        a = F.normalize(image_tower(images[rows]), dim=1)
        b = F.normalize(text_tower(texts[rows]), dim=1)
        logits = logit_scale.exp() * a @ b.t()
        wanted = torch.arange(len(rows))
        loss = (F.cross_entropy(logits, wanted) + F.cross_entropy(logits.t(), wanted)) / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(epoch, loss.item(), logit_scale.exp().item())
