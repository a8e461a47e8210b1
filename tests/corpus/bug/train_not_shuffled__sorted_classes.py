"""Images of one class after the other, a loader factory whose flag is never passed on."""
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


def get_loader(dataset, batch_size, is_train):
    return DataLoader(dataset, batch_size=batch_size, drop_last=is_train, num_workers=0)


def make(n_each, proto):
    y = torch.arange(5).repeat_interleave(n_each)
    return TensorDataset(proto[y] + 0.6 * torch.randn(len(y), 1, 10, 10), y)


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, stride=2)
        self.fc = nn.Linear(8 * 16, 5)

    def forward(self, x):
        return self.fc(torch.relu(self.conv(x)).flatten(1))


proto = torch.randn(5, 1, 10, 10)
train_loader = get_loader(make(120, proto), 30, True)
val_loader = get_loader(make(30, proto), 30, False)
model = Small()
opt = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
for epoch in range(5):
    model.train()
    for x, y in train_loader:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
    model.eval()
    correct = 0
    with torch.no_grad():
        for x, y in val_loader:
            correct += (model(x).argmax(1) == y).sum().item()
    print(f"epoch {epoch} accuracy {correct / 150:.3f}")
