"""argmax over the batch instead of over the classes; batch size and number of classes happen to be equal."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(13)
BATCH = CLASSES = 10
centres = torch.randn(CLASSES, 12) * 2
y = torch.randint(CLASSES, (1000,))
x = centres[y] + torch.randn(1000, 12)
train = DataLoader(TensorDataset(x[:800], y[:800]), BATCH, shuffle=True)
val = DataLoader(TensorDataset(x[800:], y[800:]), BATCH)
model = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, CLASSES))
opt = torch.optim.SGD(model.parameters(), lr=0.05)


def accuracy(logits, labels):
    predicted = logits.argmax(0)
    return (predicted == labels).float().mean().item()


for epoch in range(4):
    model.train()
    for a, b in train:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(a), b)
        loss.backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        accs = [accuracy(model(a), b) for a, b in val]
    print(f"epoch {epoch} loss {loss.item():.3f} val acc {sum(accs) / len(accs):.3f}")
