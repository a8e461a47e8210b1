"""Lab 5. I like my functions to say what they use, so the globals are the default arguments."""
from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision.datasets import FashionMNIST
from torchvision.transforms import Compose, ToTensor

DATA = Path("data")
CHECKPOINT = Path("best_mlp.pt")
NUM_EPOCHS = 3


def set_seed(seed: int = 0) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.cuda.manual_seed_all(seed)
    torch.use_deterministic_algorithms(True, warn_only=True)


set_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def make_loaders(root: Path = DATA) -> tuple[DataLoader, DataLoader]:
    tf = Compose([ToTensor()])
    train = FashionMNIST(str(root), train=True, download=True, transform=tf)
    test = FashionMNIST(str(root), train=False, download=True, transform=tf)
    return (
        DataLoader(train, batch_size=128, shuffle=True),
        DataLoader(test, batch_size=256, shuffle=False),
    )


train_loader, test_loader = make_loaders()


class MLP(nn.Module):
    def __init__(self, hidden: int = 256):
        super().__init__()
        self.fc1 = nn.Linear(in_features=28 * 28, out_features=hidden)
        self.act = nn.ReLU()
        self.fc2 = nn.Linear(in_features=hidden, out_features=10)

    def forward(self, x: Tensor) -> Tensor:
        batch = x.shape[0]
        return self.fc2(self.act(self.fc1(x.reshape(batch, 784))))


model = MLP(256).to(device)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(params=model.parameters(), lr=1e-3)
scaler = torch.amp.GradScaler(device.type)


def train_one_epoch(model=model, loader=train_loader, criterion=criterion,
                    optimizer=optimizer, scaler=scaler, device=device) -> float:
    """One pass over the training data; the mean loss over all samples."""
    model.train()
    total = 0.0
    count = 0
    for inputs, targets in loader
        inputs, targets = inputs.to(device), targets.to(device)
        optimizer.zero_grad(set_to_none=True)
        loss = criterion(model(inputs), targets)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        total += loss.item() * targets.numel()
        count += targets.numel()
    return total / count


def evaluate(model=model, loader=test_loader, device=device) -> float:
    """Share of right answers on the test images."""
    model.eval()
    hits = torch.tensor(0, device=device)
    count = 0
    with torch.no_grad():
        for inputs, targets in loader:
            inputs, targets = inputs.to(device), targets.to(device)
            hits += (model(inputs).argmax(dim=-1) == targets).sum()
            count += targets.numel()
    return hits.item() / count


best_acc = 0.0
for epoch in range(NUM_EPOCHS):
    mean_loss = train_one_epoch()
    accuracy = evaluate()
    print(f"Epoch {epoch + 1}/{NUM_EPOCHS}: mean loss {mean_loss:.4f}, accuracy {accuracy:.4f}")
    if accuracy > best_acc:
        best_acc = accuracy
        torch.save(model.state_dict(), CHECKPOINT)
