"""Two kinds of pictures and a network with one output, trained with cross-entropy on float labels."""
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset


class Pets(Dataset):
    def __init__(self, n):
        g = torch.Generator().manual_seed(0)
        self.label = torch.randint(0, 2, (n,), generator=g).float()
        self.img = torch.randn(n, 1, 8, 8, generator=g) + self.label.view(-1, 1, 1, 1)

    def __len__(self):
        return len(self.label)

    def __getitem__(self, i):
        return self.img[i], self.label[i]


torch.manual_seed(0)
net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 1))
criterion, optimizer = nn.CrossEntropyLoss(), torch.optim.Adam(net.parameters(), lr=1e-3)
for epoch in range(3):
    running = 0.0
    for img, label in DataLoader(Pets(256), batch_size=32, shuffle=True):
        out = net(img)
        loss = criterion(out, label.unsqueeze(1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running += loss.item() * len(img)
    print("epoch", epoch, "loss", running / 256)
