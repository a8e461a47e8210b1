"""A reusable Trainer: fit, validate, history; the model knows nothing of it."""
from __future__ import annotations

from collections import defaultdict
from typing import Iterable

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class Trainer:
    """Owns model, optimizer and loss; `fit` runs epochs and fills `history`."""

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer, loss_fn, device: str = "cpu"):
        self.model = model.to(device)
        self.optimizer = optimizer
        self.loss_fn = loss_fn
        self.device = device
        self.history: dict[str, list[float]] = defaultdict(list)

    def _step(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        x, y = (t.to(self.device) for t in batch)
        logits = self.model(x)
        return self.loss_fn(logits, y), (logits.argmax(-1) == y).sum()

    def _run(self, loader: Iterable, train: bool) -> tuple[float, float]:
        self.model.train(train)
        loss_sum, hits, n = 0.0, 0, 0
        with torch.set_grad_enabled(train):
            for batch in loader:
                if train:
                    self.optimizer.zero_grad()
                loss, correct = self._step(batch)
                if train:
                    loss.backward()
                    self.optimizer.step()
                b = len(batch[1])
                loss_sum += loss.item() * b
                hits += correct.item()
                n += b
        return loss_sum / n, hits / n

    def fit(self, train_loader, val_loader, epochs: int) -> dict[str, list[float]]:
        for epoch in range(epochs):
            tl, ta = self._run(train_loader, True)
            vl, va = self._run(val_loader, False)
            for k, v in dict(train_loss=tl, train_acc=ta, val_loss=vl, val_acc=va).items():
                self.history[k].append(v)
            print(f"[{epoch + 1}/{epochs}] train {tl:.4f}/{ta:.3f}  val {vl:.4f}/{va:.3f}")
        return dict(self.history)


def main() -> None:
    torch.manual_seed(0)
    x = torch.randn(500, 10)
    y = (x @ torch.randn(10, 6)).argmax(1)
    data = TensorDataset(x, y)
    train, val = torch.utils.data.random_split(data, (410, 90), generator=torch.Generator().manual_seed(1))
    model = nn.Sequential(nn.Linear(10, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 6))
    trainer = Trainer(model, torch.optim.Adam(model.parameters(), 1e-2), nn.CrossEntropyLoss())
    trainer.fit(DataLoader(train, 32, shuffle=True), DataLoader(val, 64), 5)


if __name__ == "__main__":
    main()
