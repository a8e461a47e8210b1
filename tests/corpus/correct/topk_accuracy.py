"""Top-1 and top-5 accuracy over 20 classes, with meters."""
import torch
from torch import nn


class AverageMeter(object):
    """Computes and stores the average and current value"""

    def __init__(self, name):
        self.name = name
        self.reset()

    def reset(self):
        self.val = self.avg = self.sum = self.count = 0

    def update(self, val, n=1):
        self.val = val
        self.sum += val * n
        self.count += n
        self.avg = self.sum / self.count


def accuracy(output, target, topk=(1,)):
    with torch.no_grad():
        maxk = max(topk)
        _, pred = output.topk(maxk, 1, True, True)
        pred = pred.t()
        correct = pred.eq(target.view(1, -1).expand_as(pred))
        return [correct[:k].reshape(-1).float().sum(0).mul_(100.0 / target.size(0)) for k in topk]


torch.manual_seed(0)
w = torch.randn(30, 20)
x = torch.randn(700, 30)
y = (x @ w).argmax(1)
train = torch.utils.data.TensorDataset(x[:550], y[:550])
val = torch.utils.data.TensorDataset(x[550:], y[550:])
train_loader = torch.utils.data.DataLoader(train, batch_size=64, shuffle=True)
val_loader = torch.utils.data.DataLoader(val, batch_size=64)
model = nn.Sequential(nn.Linear(30, 128), nn.ReLU(inplace=True), nn.Linear(128, 20))
optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, weight_decay=1e-4)
criterion = nn.CrossEntropyLoss()
for epoch in range(4):
    losses, top1, top5 = AverageMeter("Loss"), AverageMeter("Acc@1"), AverageMeter("Acc@5")
    model.train()
    for images, target in train_loader:
        output = model(images)
        loss = criterion(output, target)
        losses.update(loss.item(), images.size(0))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        for images, target in val_loader:
            acc1, acc5 = accuracy(model(images), target, topk=(1, 5))
            top1.update(acc1.item(), images.size(0))
            top5.update(acc5.item(), images.size(0))
    print(f"{epoch} {losses.name} {losses.avg:.3f} * Acc@1 {top1.avg:.3f} Acc@5 {top5.avg:.3f}")
