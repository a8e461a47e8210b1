import torch
import torch.nn.functional as F
from torch import nn
from torchvision.datasets import FashionMNIST

LR, BATCH, EPOCHS = 0.1, 256, 10

torch.manual_seed(2024)


def tensors(train):
    raw = FashionMNIST(root="data", train=train, download=True)
    return raw.data.float().div(255).unsqueeze(1), raw.targets


train_x, train_y = tensors(True)
test_x, test_y = tensors(False)

net = nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 256), nn.Dropout(0.0), nn.Linear(256, 10))


def init_weights(m):
    if isinstance(m, nn.Linear):
        with torch.no_grad():
            m.weight.normal_(0, 0.01)
            m.bias.zero_()


net.apply(init_weights)
opt = torch.optim.SGD(net.parameters(), lr=LR)

for epoch in range(1, EPOCHS + 1):
    net.train()
    for idx in torch.randperm(len(train_x)).split(BATCH):
        batch, target = train_x[idx], train_y[idx]
        logits = net(batch)
        cost = F.cross_entropy(logits, target)
        opt.zero_grad(set_to_none=True)
        cost.backward()
        opt.step()
    print("epoch", epoch, "cost of the last batch", float(cost))

net.eval()
with torch.inference_mode():
    guesses = torch.cat([net(part).argmax(1) for part in test_x.split(500)])
accuracy = (guesses == test_y).float().mean().item()
print(f"accuracy on the test images: {accuracy:.2%}")
