"""A pupil is to follow its teacher's soft answers; the divergence gets both as probabilities."""
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(300, 10)
teacher = nn.Sequential(nn.Linear(10, 40), nn.Tanh(), nn.Linear(40, 4)).requires_grad_(False)
pupil = nn.Sequential(nn.Linear(10, 12), nn.ReLU(), nn.Linear(12, 4))
divergence = nn.KLDivLoss(reduction="batchmean")
adam = torch.optim.Adam(pupil.parameters(), lr=0.01)
for epoch in range(5):
    for rows in torch.randperm(300).split(50):
        wanted = (teacher(x[rows]) / 2).softmax(-1)
        adam.zero_grad()
        loss = divergence((pupil(x[rows]) / 2).softmax(-1), wanted)
        loss.backward()
        adam.step()
    print(epoch, loss.item())
