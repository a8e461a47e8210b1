import torch
from torch import nn

torch.manual_seed(0)
data = torch.sin(torch.arange(0, 300, 0.3)).view(10, 100, 1)
rnn = nn.LSTM(1, 16, batch_first=True)
head = nn.Linear(16, 1)
optimizer = torch.optim.Adam(list(rnn.parameters()) + list(head.parameters()), lr=1e-2)
hidden = (torch.zeros(1, 10, 16), torch.zeros(1, 10, 16))
for start in range(0, 90, 10):
    x = data[:, start:start + 10]
    y = data[:, start + 1:start + 11]
    optimizer.zero_grad()
    out, hidden = rnn(x, hidden)
    loss = nn.functional.mse_loss(head(out), y)
    loss.backward()
    optimizer.step()
    print(start, loss.item())
