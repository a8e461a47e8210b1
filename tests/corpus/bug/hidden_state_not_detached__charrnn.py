import torch, torch.nn as nn
text = "hello world, this is a tiny corpus for a char rnn. " * 10
vocab = sorted(set(text)); stoi = {c: i for i, c in enumerate(vocab)}
data = torch.tensor([stoi[c] for c in text])
class CharRNN(nn.Module):
    def __init__(self, v, h=24):
        super().__init__()
        self.emb = nn.Embedding(v, 8); self.rnn = nn.LSTM(8, h, batch_first=True); self.fc = nn.Linear(h, v)
    def forward(self, x, hc=None):
        o, hc = self.rnn(self.emb(x), hc)
        return self.fc(o), hc
torch.manual_seed(0)
model = CharRNN(len(vocab)); opt = torch.optim.Adam(model.parameters(), 3e-3)
hidden = None
for i in range(0, len(data) - 26, 25):
    x, y = data[i:i+25].unsqueeze(0), data[i+1:i+26].unsqueeze(0)
    out, hidden = model(x, hidden)
    loss = nn.functional.cross_entropy(out.view(-1, len(vocab)), y.view(-1))
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(i, loss.item())
