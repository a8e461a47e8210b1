"""Gradients of up to four batches make a step; what is left at the end of an epoch makes one, too."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(11)
features = torch.randn(160, 9)
labels = (features[:, :3].sum(1) > 0).long()
batches = DataLoader(TensorDataset(features, labels), batch_size=16, shuffle=True)
classifier = nn.Sequential(nn.Linear(9, 24), nn.Tanh(), nn.Linear(24, 2))
adam = torch.optim.Adam(classifier.parameters(), lr=5e-3)
GATHER = 4
for epoch in range(6):
    adam.zero_grad()
    waiting = 0
    for inputs, wanted in batches:
        loss = nn.functional.cross_entropy(classifier(inputs), wanted)
        (loss / GATHER).backward()
        waiting += 1
        if waiting == GATHER:
            adam.step()
            adam.zero_grad()
            waiting = 0
    if waiting:
        adam.step()
        adam.zero_grad()
    print("epoch", epoch, "last loss", round(loss.item(), 4))
