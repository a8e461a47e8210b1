import torch
from torch import nn
import torch.nn.functional as F


def epoch_1(model, loader, loss_fn, optimizer):
    model.train()
    total, seen = 0.0, 0
    for images, labels in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(images), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        seen += len(labels)
    return total / seen


def loss_2(logits, labels):
    return F.cross_entropy(logits, labels)


def epoch_3(model, loader, loss_fn, optimizer, device):
    model.train()
    total, seen = 0.0, 0
    for images, labels in loader:
        images = images.to(device)
        labels = labels.to(device)
        optimizer.zero_grad()
        loss = loss_fn(model(images), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        seen += len(labels)
    return total / seen


def fit_4(model, train_loader, val_loader, loss_fn, optimizer, epochs):
    accuracies = []
    for _ in range(epochs):
        model.train()
        for images, labels in train_loader:
            optimizer.zero_grad()
            loss = loss_fn(model(images), labels)
            loss.backward()
            optimizer.step()
        model.eval()
        right, seen = 0, 0
        with torch.no_grad():
            for images, labels in val_loader:
                right += (model(images).argmax(dim=1) == labels).sum().item()
                seen += len(labels)
        accuracies.append(right / seen)
    return accuracies


def optimizer_5(model):
    return torch.optim.SGD(model.parameters(), lr=0.1)


def optimizer_6(model):
    return torch.optim.SGD(model.parameters(), lr=0.1)


def evaluate_7(model, loader):
    model.eval()
    outputs, answers = [], []
    with torch.no_grad():
        for images, labels in loader:
            outputs.append(model(images))
            answers.append(labels)
    predicted = torch.cat(outputs).argmax(dim=1)
    return (predicted == torch.cat(answers)).float().mean().item()


class Net_8(nn.Module):
    def __init__(self):
        super().__init__()
        self.flatten = nn.Flatten()
        self.hidden = nn.Linear(784, 128)
        self.out = nn.Linear(128, 10)

    def forward(self, images):
        return self.out(torch.relu(self.hidden(self.flatten(images))))


def black_box(model, batches, loss_fn, optimizer):
    model.train()
    records = []
    step = 0
    for images, labels in batches:
        step += 1
        optimizer.zero_grad()
        loss = loss_fn(model(images), labels)
        loss.backward()
        total = 0.0
        largest, biggest = None, -1.0
        for name, p in model.named_parameters():
            if p.grad is None:
                continue
            norm = p.grad.norm().item()
            total += norm ** 2
            if norm > biggest:
                largest, biggest = name, norm
        records.append({"step": step, "loss": loss.item(), "grad_norm": total ** 0.5, "largest": largest})
        optimizer.step()
    return records


def first_bad(records, factor=10.0):
    norms = []
    for record in records:
        if len(norms) >= 3:
            median = sorted(norms)[(len(norms) - 1) // 2]
            if record["grad_norm"] > factor * median:
                return record["step"]
        norms.append(record["grad_norm"])
    return None


def shapes(model, x):
    found = []

    def hook(module, args, output):
        found.append((module.__class__.__name__, tuple(output.shape)))

    handles = [m.register_forward_hook(hook) for m in model.modules() if len(list(m.children())) == 0]
    model(x)
    for handle in handles:
        handle.remove()
    return found


DIAGNOSIS = {
    1: "missing_zero_grad",
    2: "wrong_loss",
    3: "wrong_device",
    4: "missing_train_mode",
    5: "lr_too_high",
    6: "lr_too_low",
    7: "missing_no_grad",
    8: "wrong_shape",
}
CULPRIT_STEP = 47
CULPRIT = "a batch"
