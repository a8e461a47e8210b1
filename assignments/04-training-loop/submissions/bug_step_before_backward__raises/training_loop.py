# assignment 04, not finished
import torch
from matplotlib import pyplot as plt
from torch import nn
from torch.utils import data
from torchvision import datasets, transforms

IMAGE_SIZE = 28 * 28


class MNISTMLP(nn.Module):
    def __init__(self):
        super(MNISTMLP, self).__init__()
        self.layers = nn.Sequential(
            nn.Linear(IMAGE_SIZE, 128),
            nn.ReLU(inplace=True),
            nn.Linear(128, 64),
            nn.ReLU(inplace=True),
            nn.Linear(64, 10),
        )

    def forward(self, inputs):
        return self.layers(inputs.view(-1, IMAGE_SIZE))


def train_one_epoch(model, dataloader, loss_fn, optimizer):
    model.train(True)
    # whatever is left over from before does not belong to this epoch
    optimizer.zero_grad(set_to_none=False)
    summed, seen = 0.0, 0
    for inputs, answers in dataloader:
        loss = loss_fn(model(inputs), answers)
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)
        loss.backward()  # RuntimeError?? works for the first batch

        n = len(answers)
        summed += float(loss) * n
        seen += n
    return summed / seen


def evaluate(model, dataloader):
    model.train(False)
    n_ok = 0
    with torch.no_grad():
        for inputs, answers in dataloader:
            n_ok += int((model(inputs).max(1).indices == answers).sum())
    return n_ok / len(dataloader.dataset)


def confusion_matrix(model, dataloader, n_classes):
    model.train(False)
    counts = torch.zeros(n_classes * n_classes, dtype=torch.long)
    with torch.no_grad():
        for inputs, answers in dataloader:
            pred = model(inputs).max(1).indices
            counts += torch.bincount(answers * n_classes + pred, minlength=n_classes * n_classes)
    return counts.reshape(n_classes, n_classes)


def per_class_accuracy(matrix):
    result = torch.full((matrix.shape[0],), float("nan"))
    for c in range(matrix.shape[0]):
        row_total = int(matrix[c].sum())
        if row_total > 0:
            result[c] = int(matrix[c, c]) / row_total
    return result


def fit(model, train_loader, val_loader, loss_fn, optimizer, epochs):
    losses, accuracies = [], []
    for _ in range(epochs):
        losses.append(train_one_epoch(model, train_loader, loss_fn, optimizer))
        accuracies.append(evaluate(model, val_loader))
    return {"train_loss": losses, "val_accuracy": accuracies}


def plot_history(history):
    fig = plt.figure()
    left = fig.add_subplot(2, 1, 1)
    left.plot(history["train_loss"], "o-", color="tab:red", label="train loss")
    left.legend()
    right = fig.add_subplot(2, 1, 2)
    right.plot(history["val_accuracy"], "o-", color="tab:blue", label="val accuracy")
    right.legend()
    fig.tight_layout()
    return fig


def train_mnist(root="data", epochs=5, seed=0):
    torch.manual_seed(seed)
    to_tensor = transforms.ToTensor()
    train_set = datasets.MNIST(root, train=True, transform=to_tensor, download=True)
    val_set = datasets.MNIST(root, train=False, transform=to_tensor, download=True)
    train_loader = data.DataLoader(train_set, 64, shuffle=True)
    val_loader = data.DataLoader(val_set, 64)
    model = MNISTMLP()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    history = fit(model, train_loader, val_loader, nn.CrossEntropyLoss(), optimizer, epochs)
    return model, history


if __name__ == "__main__":
    model, history = train_mnist()
    for e, (l, a) in enumerate(zip(history["train_loss"], history["val_accuracy"]), 1):
        print("epoch", e, "loss", round(l, 4), "val acc", round(a, 4))
