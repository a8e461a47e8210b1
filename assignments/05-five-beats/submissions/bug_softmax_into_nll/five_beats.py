# lab 05, submitted as a script
import random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, RandomSampler, SequentialSampler
from torchvision import datasets, transforms


def set_seed(s):
    random.seed(s); np.random.seed(s); torch.manual_seed(s)


set_seed(99)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

to_tensor = transforms.Compose([transforms.ToTensor()])
train_data = datasets.FashionMNIST("./data", train=True, download=True, transform=to_tensor)
test_data = datasets.FashionMNIST("./data", train=False, download=True, transform=to_tensor)
train_loader = DataLoader(train_data, batch_size=128, sampler=RandomSampler(train_data))
test_loader = DataLoader(test_data, batch_size=256, sampler=SequentialSampler(test_data))


class MLP(nn.Module):
    def __init__(self, hidden=256):
        super().__init__()
        self.fc1 = nn.Linear(784, hidden)
        self.act = nn.ReLU()
        self.fc2 = nn.Linear(hidden, 10)

    def forward(self, x):
        x = x.view(-1, 784)
        return self.fc2(self.act(self.fc1(x)))


model = MLP().to(device)
# negative log likelihood
criterion = nn.NLLLoss()
optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
scaler = torch.amp.GradScaler(device.type, enabled=device.type == "cuda")


def train_one_epoch():
    model.train()
    optimizer.zero_grad()
    total, n = 0.0, 0
    for xb, yb in train_loader:
        xb = xb.to(device); yb = yb.to(device)
        prob = F.softmax(model(xb), dim=1)
        loss = criterion(prob, yb)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()   # ready for the next batch
        total += loss.item() * xb.shape[0]
        n += xb.shape[0]
    return total / n


def evaluate():
    model.eval()
    good, n = 0, 0
    with torch.no_grad():
        for xb, yb in test_loader:
            xb = xb.to(device); yb = yb.to(device)
            guess = model(xb).max(dim=1).indices
            good += guess.eq(yb).sum().item()
            n += yb.size(0)
    return good / n


best_acc = 0
for epoch in range(3):
    l = train_one_epoch()
    a = evaluate()
    print("epoch %d  loss %.4f  acc %.4f" % (epoch, l, a))
    if a > best_acc:
        best_acc = a
        torch.save(model.state_dict(), "best_mlp.pt")
