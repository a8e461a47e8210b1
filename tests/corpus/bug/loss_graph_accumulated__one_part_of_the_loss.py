"""The loss has two parts; one of them is kept in a list of tensors, for the mean at the end of the epoch."""
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(200, 10)
enc, dec = nn.Linear(10, 4), nn.Linear(2, 10)
opt = torch.optim.Adam([*enc.parameters(), *dec.parameters()], lr=5e-3)
for epoch in range(3):
    shares = []
    for rows in torch.randperm(200).split(20):
        mean, spread = enc(x[rows]).chunk(2, 1)
        z = mean + torch.randn_like(mean) * torch.exp(spread / 2)
        fit = nn.functional.mse_loss(dec(z), x[rows])
        near = -0.5 * (1 + spread - mean.square() - spread.exp()).mean()
        opt.zero_grad()
        (fit + 0.1 * near).backward()
        opt.step()
        shares.append(near)
    print(epoch, fit.item(), sum(shares).item() / len(shares))
