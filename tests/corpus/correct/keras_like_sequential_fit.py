"""compile / fit / evaluate / predict on top of nn.Sequential, for people who come from Keras."""
import torch
from torch import nn
from torchvision.datasets import MNIST


class KModel(nn.Sequential):
    def compile_(self, optimizer, loss, metrics=()):
        self.optimizer = optimizer(self.parameters())
        self.loss, self.metrics = loss, metrics
        return self

    def fit(self, x, y, batch_size=64, epochs=1, validation_data=None, callbacks=()):
        history = []
        for epoch in range(epochs):
            self.train()
            sums, n = {"loss": 0.0, **{m.__name__: 0.0 for m in self.metrics}}, 0
            for rows in torch.randperm(len(x)).split(batch_size):
                out = self(x[rows])
                value = self.loss(out, y[rows])
                self.optimizer.zero_grad()
                value.backward()
                self.optimizer.step()
                sums["loss"] += value.item() * len(rows)
                for m in self.metrics:
                    sums[m.__name__] += m(out.detach(), y[rows])
                n += len(rows)
            log = {k: v / n for k, v in sums.items()}
            if validation_data is not None:
                log |= {f"val_{k}": v for k, v in self.evaluate(*validation_data, batch_size).items()}
            history.append(log)
            print(f"Epoch {epoch + 1}/{epochs} - " + " - ".join(f"{k}: {v:.4f}" for k, v in log.items()))
            if any(cb(self, epoch, log) for cb in callbacks):
                break
        return history

    @torch.inference_mode()
    def predict(self, x, batch_size=256):
        self.eval()
        return torch.cat([self(part) for part in x.split(batch_size)])

    def evaluate(self, x, y, batch_size=256):
        out = self.predict(x, batch_size)
        return {"loss": self.loss(out, y).item(), **{m.__name__: m(out, y) / len(y) for m in self.metrics}}


def accuracy(out, y):
    return (out.argmax(1) == y).sum().item()


class EarlyStopping:
    """Stops after `patience` epochs in a row without a lower val_loss, and puts the best weights back."""

    def __init__(self, patience):
        self.patience, self.best, self.bad, self.weights = patience, float("inf"), 0, None

    def __call__(self, model, epoch, log):
        if log["val_loss"] < self.best:
            self.best, self.bad = log["val_loss"], 0
            self.weights = {k: v.clone() for k, v in model.state_dict().items()}
        else:
            self.bad += 1
        if self.bad >= self.patience:
            model.load_state_dict(self.weights)
            return True
        return False


torch.manual_seed(123)
train, test = MNIST("data", train=True, download=True), MNIST("data", train=False, download=True)
x_train, y_train = train.data[:600].float() / 255.0, train.targets[:600]
x_test, y_test = test.data[:400].float() / 255.0, test.targets[:400]
model = KModel(nn.Flatten(), nn.Linear(784, 96), nn.ReLU(), nn.Dropout(0.2), nn.Linear(96, 10))
model.compile_(lambda p: torch.optim.Adam(p, 2e-3), nn.functional.cross_entropy, [accuracy])
model.fit(x_train, y_train, 64, 10, (x_test[:200], y_test[:200]), [EarlyStopping(2)])
print("test:", model.evaluate(x_test[200:], y_test[200:]))
