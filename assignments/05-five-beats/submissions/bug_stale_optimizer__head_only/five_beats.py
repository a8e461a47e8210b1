import copy
import random
import time

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim
import torchvision
import torchvision.transforms as T


def set_seed(seed):
    """same numbers every time I run the file"""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


SEED = 2024
set_seed(SEED)

if torch.cuda.is_available():
    device = torch.device("cuda")
else:
    device = torch.device("cpu")
print("running on", device)

trainset = torchvision.datasets.FashionMNIST(root="data", train=True, download=True, transform=T.ToTensor())
testset = torchvision.datasets.FashionMNIST(root="data", train=False, download=True, transform=T.ToTensor())

train_loader = torch.utils.data.DataLoader(trainset, batch_size=128, shuffle=True, num_workers=0)
test_loader = torch.utils.data.DataLoader(testset, batch_size=256, shuffle=False, num_workers=0)


class MLP(nn.Module):

    def __init__(self, hidden=256):
        super().__init__()
        n_in = 28 * 28
        n_out = 10
        self.fc1 = nn.Linear(n_in, hidden)
        self.act = nn.ReLU()
        self.fc2 = nn.Linear(hidden, n_out)

    def forward(self, img):
        flat = img.flatten(1)
        return self.fc2(self.act(self.fc1(flat)))


model = MLP().to(device)
criterion = nn.CrossEntropyLoss()
optimizer = optim.AdamW(model.fc2.parameters(), lr=0.001)
scaler = torch.amp.GradScaler(device=device.type, enabled=(device.type == "cuda"))


def train_one_epoch():
    model.train()
    losses = 0.0
    n_seen = 0
    for img, lab in train_loader:
        img = img.to(device)
        lab = lab.to(device)
        # forget the old gradients
        for p in model.parameters():
            p.grad = None
        pred = model(img)
        loss = criterion(pred, lab)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        losses = losses + float(loss) * len(lab)
        n_seen = n_seen + len(lab)
    return losses / n_seen


@torch.inference_mode()
def evaluate():
    model.eval()
    all_pred = []
    all_true = []
    for img, lab in test_loader:
        img = img.to(device)
        lab = lab.to(device)
        pred = model(img)
        all_pred.append(pred.argmax(1))
        all_true.append(lab)
    all_pred = torch.cat(all_pred)
    all_true = torch.cat(all_true)
    return (all_pred == all_true).float().mean().item()


best_acc = 0.0
best_weights = copy.deepcopy(model.state_dict())
start = time.time()
for epoch in range(3):
    epoch_loss = train_one_epoch()
    epoch_acc = evaluate()
    if epoch_acc > best_acc:
        best_acc = epoch_acc
        best_weights = copy.deepcopy(model.state_dict())
    print("epoch", epoch + 1, "loss", round(epoch_loss, 4), "acc", round(epoch_acc, 4),
          "time", round(time.time() - start, 1), "s")

torch.save(best_weights, "best_mlp.pt")
print("saved the weights with accuracy", best_acc)
