"""A tiny speech model with the CTC loss as it should be, and counts whose rates are no logarithms, and say so."""
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
sound, words = torch.randn(20, 30, 5), torch.randint(1, 6, (30, 4))
rnn, letters, loud = nn.GRU(5, 16), nn.Linear(16, 6), nn.Linear(16, 1)
opt = torch.optim.Adam([*rnn.parameters(), *letters.parameters(), *loud.parameters()], lr=5e-3)
counts = torch.poisson(torch.full((30,), 3.0))
for step in range(25):
    hidden, last = rnn(sound)
    logs = letters(hidden).log_softmax(2)
    loss = F.ctc_loss(logs, words, torch.full((30,), 20), torch.full((30,), 4))
    loss = loss + F.poisson_nll_loss(F.softplus(loud(last[0]))[:, 0], counts, log_input=False)
    opt.zero_grad()
    loss.backward()
    opt.step()
print(loss.item())
