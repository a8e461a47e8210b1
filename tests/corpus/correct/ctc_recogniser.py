"""CTC on a toy recogniser: log_softmax, time first, lengths as tensors."""
import torch
from torch import nn

torch.manual_seed(0)


def sample(n):
    labels = torch.randint(1, 5, (n, 3))
    frames = labels.repeat_interleave(4, dim=1)
    return nn.functional.one_hot(frames, 5).float() + 0.3 * torch.randn(n, 12, 5), labels


class Recogniser(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(5, 32, bidirectional=True)
        self.fc = nn.Linear(64, 5)

    def forward(self, x):
        out, _ = self.rnn(x.transpose(0, 1))        # (T, N, features)
        return self.fc(out).log_softmax(2)


model = Recogniser()
ctc = nn.CTCLoss(blank=0)
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
for step in range(80):
    x, labels = sample(32)
    logp = model(x)
    loss = ctc(logp, labels, torch.full((32,), 12), torch.full((32,), 3))
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 5.0)
    opt.step()
    if step % 20 == 0:
        print(step, loss.item())
