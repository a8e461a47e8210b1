"""An RNN that makes its first hidden state without asking where the input lives."""
import torch
from torch import nn

dev = "cuda" if torch.cuda.is_available() else "cpu"


class Counter(nn.Module):
    def __init__(self, hidden=16):
        super().__init__()
        self.hidden = hidden
        self.cell = nn.GRUCell(1, hidden)
        self.head = nn.Linear(hidden, 1)

    def forward(self, x):
        h = torch.zeros(x.size(0), self.hidden)
        for t in range(x.size(1)):
            h = self.cell(x[:, t:t + 1], h)
        return self.head(h)


torch.manual_seed(0)
net = Counter().to(dev)
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for step in range(120):
    bits = torch.randint(0, 2, (32, 6)).float().to(dev)
    loss = nn.functional.mse_loss(net(bits), bits.sum(1, keepdim=True))
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 40 == 0:
        print(step, loss.item())
