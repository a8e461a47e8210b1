"""A tiny speech model; its raw scores go straight into the CTC loss."""
import torch
import torch.nn.functional as F
from torch import nn


class Listener(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(5, 16)
        self.letters = nn.Linear(16, 6)

    def forward(self, sound):
        return self.letters(self.rnn(sound)[0])


torch.manual_seed(0)
sound = torch.randn(20, 30, 5)
words = torch.randint(1, 6, (30, 4))
model = Listener()
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
lengths, sizes = torch.full((30,), 20), torch.full((30,), 4)
for step in range(25):
    scores = model(sound)
    loss = F.ctc_loss(scores, words, lengths, sizes)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 8 == 0:
        print(step, loss.item())
