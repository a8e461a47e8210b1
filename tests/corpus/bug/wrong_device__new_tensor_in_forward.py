"""The model and the batches go to the device, but forward makes its initial state on the CPU."""
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")


class CharLSTM(nn.Module):
    def __init__(self, vocab=12, hidden=24):
        super().__init__()
        self.hidden = hidden
        self.embed = nn.Embedding(vocab, 8)
        self.cell = nn.LSTMCell(8, hidden)
        self.out = nn.Linear(hidden, 2)

    def init_hidden(self, batch):
        return torch.zeros(batch, self.hidden), torch.zeros(batch, self.hidden)

    def forward(self, x):
        h, c = self.init_hidden(x.size(0))
        for t in range(x.size(1)):
            h, c = self.cell(self.embed(x[:, t]), (h, c))
        return self.out(h)


x = torch.randint(12, (600, 7))
y = (x.sum(1) > 38).long()
train = DataLoader(TensorDataset(x[:500], y[:500]), batch_size=25, shuffle=True)
test = DataLoader(TensorDataset(x[500:], y[500:]), batch_size=50)
model = CharLSTM().to(device)
criterion = nn.CrossEntropyLoss().to(device)
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(4):
    model.train()
    for xb, yb in train:
        xb, yb = xb.to(device), yb.to(device)
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        ok = sum((model(a.to(device)).argmax(1).cpu() == b).sum().item() for a, b in test)
    print(epoch, loss.item(), ok / 100)
