"""Change detection by a siamese U-shaped net (two dates, a mask of what changed)."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Scenes(Dataset):
    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.before = torch.rand(n, 1, 16, 16, generator=g)
        self.mask = torch.zeros(n, 1, 16, 16)
        for k in range(n):
            r, c = torch.randint(0, 9, (2,), generator=g).tolist()
            self.mask[k, :, r:r + 7, c:c + 7] = 1
        self.after = self.before + 0.05 * torch.randn(n, 1, 16, 16, generator=g) + self.mask * 0.6

    def __len__(self):
        return len(self.mask)

    def __getitem__(self, i):
        return self.before[i], self.after[i], self.mask[i]


class SiameseUNet(nn.Module):
    def __init__(self, c=12):
        super().__init__()
        self.down1 = nn.Sequential(nn.Conv2d(1, c, 3, 1, 1), nn.BatchNorm2d(c), nn.ReLU())
        self.down2 = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(c, 2 * c, 3, 1, 1), nn.BatchNorm2d(2 * c), nn.ReLU())
        self.up = nn.ConvTranspose2d(2 * c, c, 2, 2)
        self.last = nn.Sequential(nn.Conv2d(2 * c, c, 3, 1, 1), nn.ReLU(), nn.Conv2d(c, 1, 1), nn.Sigmoid())

    def forward(self, a, b):
        a1, b1 = self.down1(a), self.down1(b)
        d = self.up((self.down2(a1) - self.down2(b1)).abs())
        return self.last(torch.cat([d, (a1 - b1).abs()], 1))


class Engine:
    def __init__(self, model, criterion, optimizer):
        self.model, self.criterion, self.optimizer = model, criterion, optimizer

    def fit(self, loader):
        self.model.train()
        for a, b, m in loader:
            self.optimizer.zero_grad()
            loss = self.criterion(self.model(a, b), m)
            loss.backward()
            self.optimizer.step()
        return loss.item()

    def validate(self, loader):
        self.model.eval()
        inter = union = 0.0
        for a, b, m in loader:
            p = self.model(a, b) > 0.5
            inter += (p & (m > 0)).sum().item()
            union += (p | (m > 0)).sum().item()
        return inter / union


torch.manual_seed(0)
model = SiameseUNet()
engine = Engine(model, nn.BCEWithLogitsLoss(), torch.optim.Adam(model.parameters(), 3e-3))
train, val = DataLoader(Scenes(320, 0), 32, shuffle=True), DataLoader(Scenes(96, 1), 32)
for epoch in range(5):
    print(f"epoch {epoch} loss {engine.fit(train):.4f} IoU {engine.validate(val):.3f}")
