"""An autoencoder in two modules; the optimizer has the encoder's parameters only."""
import torch
from torch import nn

torch.manual_seed(9)
x = torch.randn(200, 3) @ torch.randn(3, 16)
encoder = nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))
decoder = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 16))
opt = torch.optim.Adam(encoder.parameters(), lr=1e-2)
for epoch in range(30):
    loss = nn.functional.mse_loss(decoder(encoder(x)), x)
    opt.zero_grad()
    loss.backward()
    opt.step()
print(loss.item())
