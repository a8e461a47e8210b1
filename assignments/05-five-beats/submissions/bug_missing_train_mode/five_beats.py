"""Five beats on Fashion-MNIST with mixed precision (only on the GPU) and clipped gradients."""
import random

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader
from torchvision import datasets
from torchvision.transforms import v2

BATCH_TRAIN, BATCH_TEST, EPOCHS, LR = 128, 256, 3, 1e-3


def set_seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    if torch.cuda.is_available():
        torch.cuda.manual_seed_all(seed)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


set_seed(1234)
device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
use_amp = device.type == "cuda"
amp_dtype = torch.bfloat16 if use_amp and torch.cuda.is_bf16_supported() else torch.float16

to_tensor = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
train_ds = datasets.FashionMNIST(root="./data", train=True, transform=to_tensor, download=True)
test_ds = datasets.FashionMNIST(root="./data", train=False, transform=to_tensor, download=True)
train_loader = DataLoader(train_ds, BATCH_TRAIN, shuffle=True, pin_memory=use_amp)
test_loader = DataLoader(test_ds, BATCH_TEST, pin_memory=use_amp)


class MLP(nn.Module):
    """784 -> hidden -> 10, raw logits."""

    def __init__(self, hidden: int = 256) -> None:
        super(MLP, self).__init__()
        self.flatten = nn.Flatten()
        self.fc1 = nn.Linear(784, hidden)
        self.act = nn.ReLU(inplace=True)
        self.fc2 = nn.Linear(hidden, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc2(self.act(self.fc1(self.flatten(x))))


model = MLP(hidden=256).to(device)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=LR)
scaler = torch.amp.GradScaler("cuda", enabled=use_amp)


def train_one_epoch() -> float:
    loss_sum, n = 0.0, 0
    for xb, yb in train_loader:
        xb, yb = xb.to(device, non_blocking=True), yb.to(device, non_blocking=True)
        model.zero_grad(set_to_none=True)
        with torch.autocast(device_type=device.type, dtype=amp_dtype, enabled=use_amp):
            logits = model(xb)
            loss = criterion(logits, yb)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        scaler.step(optimizer)
        scaler.update()
        loss_sum += loss.item() * len(yb)
        n += len(yb)
    return loss_sum / n


@torch.no_grad()
def evaluate() -> float:
    model.eval()
    hits, n = 0, 0
    for xb, yb in test_loader:
        xb, yb = xb.to(device, non_blocking=True), yb.to(device, non_blocking=True)
        with torch.autocast(device_type=device.type, dtype=amp_dtype, enabled=use_amp):
            logits = model(xb)
        hits += int((logits.argmax(1) == yb).sum())
        n += len(yb)
    return hits / n


best_acc = -1.0
for epoch in range(1, EPOCHS + 1):
    loss = train_one_epoch()
    acc = evaluate()
    flag = ""
    if acc > best_acc:
        best_acc = acc
        torch.save(model.state_dict(), "best_mlp.pt")
        flag = "  * saved"
    print(f"[{epoch}/{EPOCHS}] loss={loss:.4f} acc={acc:.2%}{flag}")
