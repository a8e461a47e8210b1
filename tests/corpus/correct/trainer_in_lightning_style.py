"""A small trainer in Lightning's style: the module says what a step is, the trainer loops."""
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset, random_split


class Module(nn.Module):
    def log(self, name, value):
        self.logged[name] = float(value)


class Classifier(Module):
    def __init__(self, lr=2e-2):
        super().__init__()
        self.lr = lr
        self.logged = {}
        self.net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 3))

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = F.cross_entropy(self(x), y)
        self.log("train_loss", loss)
        return {"loss": loss}

    def validation_step(self, batch, batch_idx):
        x, y = batch
        logits = self(x)
        return {"val_loss": F.cross_entropy(logits, y, reduction="none"), "hits": logits.argmax(-1) == y}

    def validation_epoch_end(self, outputs):
        self.log("val_loss", torch.cat([o["val_loss"] for o in outputs]).mean())
        self.log("val_acc", torch.cat([o["hits"] for o in outputs]).float().mean())

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=self.lr, momentum=0.9, nesterov=True)
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="min", patience=1, factor=0.5)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "monitor": "val_loss"}}


class Trainer:
    def __init__(self, max_epochs, accumulate_grad_batches=1, gradient_clip_val=None):
        self.max_epochs, self.every, self.clip = max_epochs, accumulate_grad_batches, gradient_clip_val

    def fit(self, model, train, val):
        made = model.configure_optimizers()
        optimizer, plan = made["optimizer"], made["lr_scheduler"]
        self._validate(model, val, limit=1)
        for epoch in range(self.max_epochs):
            model.train()
            for i, batch in enumerate(train):
                loss = model.training_step(batch, i)["loss"] / self.every
                loss.backward()
                if (i + 1) % self.every == 0 or i + 1 == len(train):
                    if self.clip:
                        nn.utils.clip_grad_norm_(model.parameters(), self.clip)
                    optimizer.step()
                    optimizer.zero_grad(set_to_none=True)
            self._validate(model, val)
            plan["scheduler"].step(model.logged[plan["monitor"]])
            print(f"epoch {epoch}:", {k: round(v, 4) for k, v in model.logged.items()})

    @torch.no_grad()
    def _validate(self, model, loader, limit=None):
        model.eval()
        outputs = []
        for i, batch in enumerate(loader):
            if limit is not None and i >= limit:
                break
            outputs.append(model.validation_step(batch, i))
        model.validation_epoch_end(outputs)


def main():
    torch.manual_seed(7)
    x = torch.randn(600, 10)
    y = (x[:, :3] + 0.3 * torch.randn(600, 3)).argmax(1)
    train, val = random_split(TensorDataset(x, y), [500, 100], generator=torch.Generator().manual_seed(1))
    Trainer(6, accumulate_grad_batches=2, gradient_clip_val=1.0).fit(
        Classifier(), DataLoader(train, 32, shuffle=True, drop_last=True), DataLoader(val, 64)
    )


if __name__ == "__main__":
    main()
