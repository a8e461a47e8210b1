"""Label smoothing as in translation models: padded places have a target of zeros."""
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
PAD, WORDS = 0, 12
source = torch.randint(1, WORDS, (60, 5))
target = torch.where(torch.rand(60, 5) < 0.2, torch.zeros(60, 5, dtype=torch.long), (source * 5) % (WORDS - 1) + 1)
net = nn.Sequential(nn.Embedding(WORDS, 16), nn.Linear(16, WORDS))
opt = torch.optim.Adam(net.parameters(), lr=0.02)
for step in range(40):
    logs = F.log_softmax(net(source), -1).view(-1, WORDS)
    flat = target.view(-1)
    smooth = torch.full_like(logs, 0.1 / (WORDS - 2)).scatter_(1, flat[:, None], 0.9)
    smooth[:, PAD] = 0
    smooth[flat == PAD] = 0
    loss = F.kl_div(logs, smooth, reduction="sum") / (flat != PAD).sum()
    opt.zero_grad()
    loss.backward()
    opt.step()
print(loss.item())
