"""A pupil follows its teacher: log-probabilities against probabilities, at a temperature, beside the labels."""
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
x = torch.randn(300, 10)
y = (x @ torch.randn(10, 4)).argmax(1)
teacher = nn.Sequential(nn.Linear(10, 40), nn.Tanh(), nn.Linear(40, 4)).requires_grad_(False)
pupil = nn.Sequential(nn.Linear(10, 12), nn.ReLU(), nn.Linear(12, 4))
adam, heat = torch.optim.Adam(pupil.parameters(), lr=0.01), 3.0
for epoch in range(5):
    for rows in torch.randperm(300).split(50):
        out = pupil(x[rows])
        soft = F.kl_div(F.log_softmax(out / heat, -1), F.softmax(teacher(x[rows]) / heat, -1), reduction="batchmean")
        loss = 0.5 * heat**2 * soft + 0.5 * F.cross_entropy(out, y[rows])
        adam.zero_grad()
        loss.backward()
        adam.step()
    print(epoch, loss.item())
