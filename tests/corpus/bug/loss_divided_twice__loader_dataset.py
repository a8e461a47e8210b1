"""Audio-frame tagger with CTC-free framewise labels; prints the loss per example."""
import argparse
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv1d(8, 24, 5, padding=2), nn.ReLU(), nn.Conv1d(24, 24, 5, padding=2), nn.ReLU())
        self.head = nn.Conv1d(24, 3, 1)

    def forward(self, x):
        return self.head(self.conv(x))


def frames(n):
    y = torch.randint(0, 3, (n, 10)).repeat_interleave(3, 1)
    x = nn.functional.one_hot(y, 8).float().transpose(1, 2) + 0.9 * torch.randn(n, 8, 30)
    return TensorDataset(x, y)


def train_one_epoch(model, loader, criterion, optimizer):
    model.train()
    for x, y in loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()


def test(model, loader, criterion):
    model.eval()
    test_loss, correct, frames_ = 0, 0, 0
    with torch.no_grad():
        for x, y in loader:
            out = model(x)
            test_loss += criterion(out, y).item()
            correct += out.argmax(1).eq(y).sum().item()
            frames_ += y.numel()
    test_loss /= len(loader.dataset)
    print('Test set: Average loss: {:.6f}, Accuracy: {}/{} ({:.0f}%)'.format(test_loss, correct, frames_, 100. * correct / frames_))
    return test_loss


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--batch-size', type=int, default=32)
    parser.add_argument('--epochs', type=int, default=4)
    parser.add_argument('--seed', type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    train_loader = DataLoader(frames(640), args.batch_size, shuffle=True)
    test_loader = DataLoader(frames(256), 64)
    model = Tagger()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    criterion = nn.CrossEntropyLoss()
    for _ in range(args.epochs):
        train_one_epoch(model, train_loader, criterion, optimizer)
        test(model, test_loader, criterion)


if __name__ == '__main__':
    main()
