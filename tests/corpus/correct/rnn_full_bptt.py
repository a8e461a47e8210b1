"""Recall the first bit of a string: the whole sequence is unrolled and differentiated (full BPTT)."""
import torch
from torch import nn


class Recall(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.cell = nn.RNNCell(1, hidden)
        self.readout = nn.Linear(hidden, 1)

    def forward(self, bits):
        h = None
        for t in range(bits.shape[1]):
            h = self.cell(bits[:, t], h)
        return self.readout(h).squeeze(-1)


torch.manual_seed(2)
model = Recall()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
loss_fn = nn.BCEWithLogitsLoss()
for step in range(150):
    bits = torch.randint(0, 2, (64, 6, 1)).float()
    first = bits[:, 0, 0]
    optimizer.zero_grad()
    loss = loss_fn(model(bits), first)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if step % 50 == 0:
        print(step, round(loss.item(), 4))
