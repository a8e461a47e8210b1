"""Rows of an image as a sequence; the LSTM was told nothing of batch_first."""
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


class RowLSTM(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(28, 48)
        self.fc = nn.Linear(48, 10)

    def forward(self, img):
        seq = img.squeeze(1)                 # (batch, 28 rows, 28 columns)
        out, _ = self.lstm(seq)
        return self.fc(out[:, -1])


torch.manual_seed(0)
tf = transforms.ToTensor()
train = DataLoader(datasets.MNIST("data", True, tf, download=True), batch_size=40, shuffle=True)
test = DataLoader(datasets.MNIST("data", False, tf, download=True), batch_size=40)
model = RowLSTM()
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(2):
    model.train()
    for x, y in train:
        opt.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        print(epoch, sum((model(x).argmax(1) == y).sum().item() for x, y in test) / len(test.dataset))
