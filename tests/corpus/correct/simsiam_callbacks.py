"""SimSiam on MNIST digits, with a small callback system and a nearest-neighbour monitor."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision import datasets, transforms


class TwoCrops(Dataset):
    def __init__(self, base, transform):
        self.base, self.transform = base, transform

    def __len__(self):
        return len(self.base)

    def __getitem__(self, i):
        img, _ = self.base[i]
        return self.transform(img), self.transform(img)


class SimSiam(nn.Module):
    def __init__(self, dim=64, pred_dim=16):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(inplace=True),
            nn.Conv2d(8, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.ReLU(inplace=True),
            nn.Flatten(), nn.Linear(784, dim), nn.BatchNorm1d(dim, affine=False))
        self.predictor = nn.Sequential(nn.Linear(dim, pred_dim, bias=False), nn.BatchNorm1d(pred_dim), nn.ReLU(inplace=True), nn.Linear(pred_dim, dim))

    def forward(self, x1, x2):
        z1, z2 = self.encoder(x1), self.encoder(x2)
        return self.predictor(z1), self.predictor(z2), z1.detach(), z2.detach()


class Callback:
    def on_epoch_end(self, run): ...
    def on_batch_end(self, run): ...


class CollapseMonitor(Callback):
    def on_batch_end(self, run):
        with torch.no_grad():
            run.logs.setdefault("std", []).append(F.normalize(run.outputs[2], dim=1).std(0).mean().item())


class KnnMonitor(Callback):
    def __init__(self, bank, query):
        self.bank, self.query = bank, query

    @torch.no_grad()
    def on_epoch_end(self, run):
        run.model.eval()
        try:
            emb = [F.normalize(torch.cat([run.model.encoder(x) for x, _ in dl]), dim=1) for dl in (self.bank, self.query)]
            lab = [torch.cat([y for _, y in dl]) for dl in (self.bank, self.query)]
            near = (emb[1] @ emb[0].T).argmax(1)
            print(f"epoch {run.epoch} 1-nn {(lab[0][near] == lab[1]).float().mean():.3f} std {sum(run.logs['std']) / len(run.logs['std']):.3f}")
        finally:
            run.model.train()


class Run:
    def __init__(self, model, loader, opt, callbacks):
        self.model, self.loader, self.opt, self.callbacks, self.logs = model, loader, opt, callbacks, {}

    def fire(self, event):
        for cb in self.callbacks:
            getattr(cb, event)(self)

    def go(self, epochs):
        for self.epoch in range(epochs):
            self.model.train()
            for x1, x2 in self.loader:
                self.outputs = p1, p2, z1, z2 = self.model(x1, x2)
                loss = -(F.cosine_similarity(p1, z2).mean() + F.cosine_similarity(p2, z1).mean()) * 0.5
                self.opt.zero_grad()
                loss.backward()
                self.opt.step()
                self.fire("on_batch_end")
            self.fire("on_epoch_end")


torch.manual_seed(42)
plain = transforms.ToTensor()
augment = transforms.Compose([transforms.RandomAffine(15, (0.1, 0.1), (0.8, 1.1)), transforms.ToTensor()])
raw = datasets.MNIST("data", train=True, download=True)
bank = Subset(datasets.MNIST("data", train=True, download=True, transform=plain), range(400))
query = Subset(datasets.MNIST("data", train=False, download=True, transform=plain), range(200))
loader = DataLoader(TwoCrops(Subset(raw, range(512)), augment), batch_size=64, shuffle=True, drop_last=True)
model = SimSiam()
Run(model, loader, torch.optim.SGD(model.parameters(), 0.05, momentum=0.9, weight_decay=1e-4),
    [CollapseMonitor(), KnnMonitor(DataLoader(bank, 200), DataLoader(query, 200))]).go(4)
