import torch, torch.nn as nn
class SeqClassifier(nn.Module):
    """(B, T, F) sequences -> LSTM -> class"""
    def __init__(self, f=6, h=16, c=3):
        super().__init__()
        self.lstm = nn.LSTM(f, h)
        self.fc = nn.Linear(h, c)
    def forward(self, x):
        B, T, F = x.shape
        x = x.view(T, B, F)     # LSTM expects (T, B, F)
        out, _ = self.lstm(x)
        return self.fc(out[-1])
torch.manual_seed(0)
x = torch.randn(256, 10, 6); y = x[:, :, :3].sum(1).argmax(1)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), 32, shuffle=True)
model = SeqClassifier(); opt = torch.optim.Adam(model.parameters(), 1e-2); ce = nn.CrossEntropyLoss()
for e in range(3):
    for xb, yb in dl:
        opt.zero_grad()
        loss = ce(model(xb), yb)
        loss.backward(); opt.step()
    print(e, loss.item())
