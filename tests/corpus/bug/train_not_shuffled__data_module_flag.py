"""Lightning-like data module; spectra sorted by substance as they came from the instrument."""
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class DataModule:
    batch_size: int = 32
    stage: str = "predict"

    def setup(self, stage):
        peaks = torch.linspace(5, 55, 6)
        grid = torch.arange(60.0)
        label = torch.arange(6).repeat_interleave(120)
        shape = torch.exp(-((grid - peaks[label][:, None]) / 4) ** 2) + torch.exp(-((grid - 60 + peaks[label][:, None] / 2) / 3) ** 2)
        x = shape * (0.5 + torch.rand(720, 1)) + 0.25 * torch.randn(720, 60)
        keep = torch.arange(720) % 6 != 0
        self.train, self.val = TensorDataset(x[keep], label[keep]), TensorDataset(x[~keep], label[~keep])

    def loader(self, part):
        return DataLoader(part, self.batch_size, shuffle=self.stage == "fit")

    def train_dataloader(self):
        return self.loader(self.train)

    def val_dataloader(self):
        return DataLoader(self.val, 40)


class Module(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(60, 40), nn.ReLU(), nn.Linear(40, 6))

    def training_step(self, batch):
        x, y = batch
        return nn.functional.cross_entropy(self.net(x), y)

    def validation_step(self, batch):
        x, y = batch
        return (self.net(x).argmax(1) == y).sum().item()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.05)


class Trainer:
    def __init__(self, max_epochs):
        self.max_epochs = max_epochs

    def fit(self, module, data):
        data.setup("fit")
        opt = module.configure_optimizers()
        train, val = data.train_dataloader(), data.val_dataloader()
        for epoch in range(self.max_epochs):
            module.train()
            for batch in train:
                opt.zero_grad()
                loss = module.training_step(batch)
                loss.backward()
                opt.step()
            module.eval()
            with torch.no_grad():
                right = sum(module.validation_step(b) for b in val)
            print(f"epoch {epoch} val_acc {right / len(data.val):.3f}")


torch.manual_seed(0)
Trainer(5).fit(Module(), DataModule())
