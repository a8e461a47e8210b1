"""Co-teaching: each of two networks learns from the small-loss rows that the other picked."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class NoisyRows(Dataset):
    def __init__(self, n, noise, classes=4, dim=12):
        self.clean = torch.randint(0, classes, (n,))
        centre = torch.eye(classes, dim) * 2.2
        self.x = centre[self.clean] + torch.randn(n, dim)
        flip = torch.rand(n) < noise
        self.y = torch.where(flip, (self.clean + torch.randint(1, classes, (n,))) % classes, self.clean)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, index):
        return self.x[index], self.y[index], index


def loss_coteaching(y1, y2, t, forget_rate):
    keep = int((1 - forget_rate) * len(t))
    with torch.no_grad():
        ind1 = F.cross_entropy(y1, t, reduction='none').argsort()[:keep]
        ind2 = F.cross_entropy(y2, t, reduction='none').argsort()[:keep]
    return F.cross_entropy(y1[ind2], t[ind2]), F.cross_entropy(y2[ind1], t[ind1]), ind1


def net():
    return nn.Sequential(nn.Linear(12, 64), nn.LayerNorm(64), nn.ReLU(), nn.Dropout(0.25), nn.Linear(64, 4))


def evaluate(loader, *models):
    right = [0 for _ in models]
    for m in models:
        m.eval()
    for x, y, _ in loader:
        for k, m in enumerate(models):
            with torch.no_grad():
                right[k] += (m(x).max(1)[1] == y).sum().item()
    return [100 * r / len(loader.dataset) for r in right]


def main(n_epoch=8, noise=0.35, num_gradual=4):
    torch.manual_seed(1)
    train, test = NoisyRows(1000, noise), NoisyRows(400, 0.0)
    train_loader = DataLoader(train, batch_size=50, drop_last=True, shuffle=True)
    test_loader = DataLoader(test, batch_size=100)
    rate_schedule = [noise * min(1.0, e / num_gradual) for e in range(n_epoch)]
    cnn1, cnn2 = net(), net()
    optimizer1, optimizer2 = (torch.optim.Adam(c.parameters(), lr=3e-3) for c in (cnn1, cnn2))
    for epoch in range(n_epoch):
        cnn1.train(), cnn2.train()
        pure, picked = 0, 0
        for x, y, ind in train_loader:
            loss_1, loss_2, kept = loss_coteaching(cnn1(x), cnn2(x), y, rate_schedule[epoch])
            optimizer1.zero_grad()
            loss_1.backward()
            optimizer1.step()
            optimizer2.zero_grad()
            loss_2.backward()
            optimizer2.step()
            pure += (train.clean[ind[kept]] == y[kept]).sum().item()
            picked += len(kept)
        print(f'Epoch [{epoch + 1}/{n_epoch}] purity {pure / picked:.3f} test {evaluate(test_loader, cnn1, cnn2)}')


if __name__ == '__main__':
    main()
