import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ACTIVATIONS = {"softmax": lambda: nn.Softmax(dim=1), "none": nn.Identity}
LOSSES = {"nll": nn.NLLLoss, "ce": nn.CrossEntropyLoss}
CONFIG = {"hidden": [32, 16], "out_activation": "softmax", "loss": "nll", "lr": 3e-3, "epochs": 6}


def build(cfg, n_in, n_out):
    dims, layers = [n_in, *cfg["hidden"]], []
    for a, b in zip(dims, dims[1:]):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(dims[-1], n_out), ACTIVATIONS[cfg["out_activation"]]())


centres = torch.randn(4, 12) * 1.5
y = torch.randint(4, (1000,))
x = centres[y] + torch.randn(1000, 12)
train = DataLoader(TensorDataset(x[:800], y[:800]), 40, shuffle=True)
val_x, val_y = x[800:], y[800:]
model, loss_fn = build(CONFIG, 12, 4), LOSSES[CONFIG["loss"]]()
opt = torch.optim.Adam(model.parameters(), lr=CONFIG["lr"])
for epoch in range(CONFIG["epochs"]):
    model.train()
    for xb, yb in train:
        opt.zero_grad()
        loss = loss_fn(model(xb), yb)
        loss.backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        out = model(val_x)
        print(epoch, f"train {loss.item():.4f} val {loss_fn(out, val_y).item():.4f} acc {(out.argmax(1) == val_y).float().mean().item():.3f}")
