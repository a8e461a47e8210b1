"""An LSTM language of brackets; the clip looks at gradients that are not there yet."""
import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_


class Brackets(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(2, 8)
        self.lstm = nn.LSTM(8, 24, batch_first=True)
        self.out = nn.Linear(24, 2)

    def forward(self, s):
        return self.out(self.lstm(self.embed(s))[0])


torch.manual_seed(0)
s = (torch.rand(200, 13).cumsum(1).floor() % 2).long()
net = Brackets()
opt = torch.optim.SGD(net.parameters(), lr=1.0)
for epoch in range(4):
    for b in torch.randperm(200).split(20):
        opt.zero_grad()
        logits = net(s[b, :-1])
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), s[b, 1:].flatten())
        clip_grad_norm_(net.parameters(), 0.5)
        loss.backward()
        opt.step()
    print(epoch, loss.item())
