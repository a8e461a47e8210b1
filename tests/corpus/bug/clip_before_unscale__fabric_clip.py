"""Mixed precision behind a small fabric; the recipe asks for a gradient norm of at most 1."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Fabric:
    def __init__(self, precision="bf16", max_norm=None):
        self.scaler = torch.amp.GradScaler("cpu", init_scale=2.0 ** 14)
        self.dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}[precision]
        self.max_norm = max_norm

    def autocast(self):
        return torch.autocast("cpu", dtype=self.dtype)

    def backward(self, loss):
        self.scaler.scale(loss).backward()

    def clip_gradients(self, module):
        if self.max_norm is not None:
            return nn.utils.clip_grad_norm_(module.parameters(), self.max_norm)

    def optimizer_step(self, optimizer):
        self.scaler.step(optimizer)
        self.scaler.update()


class GatedMLP(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.norm, self.up, self.gate, self.down = nn.LayerNorm(d), nn.Linear(d, 2 * d), nn.Linear(d, 2 * d), nn.Linear(2 * d, d)

    def forward(self, x):
        h = self.norm(x)
        return x + self.down(nn.functional.silu(self.gate(h)) * self.up(h))


def main():
    torch.manual_seed(0)
    fabric = Fabric(max_norm=1.0)
    x = torch.randn(1000, 16)
    y = torch.stack([x[:, 0] * x[:, 1], x[:, 2].abs()], 1)
    net = nn.Sequential(nn.Linear(16, 32), GatedMLP(32), GatedMLP(32), nn.Linear(32, 2))
    opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    loader = DataLoader(TensorDataset(x[:800], y[:800]), 40, shuffle=True)
    for epoch in range(5):
        net.train()
        for xb, yb in loader:
            opt.zero_grad()
            with fabric.autocast():
                pred = net(xb)
            loss = nn.functional.mse_loss(pred.float(), yb)
            fabric.backward(loss)
            fabric.clip_gradients(net)
            fabric.optimizer_step(opt)
        net.eval()
        with torch.no_grad():
            print(f"epoch {epoch} loss {loss.item():.4f} val {nn.functional.mse_loss(net(x[800:]), y[800:]).item():.4f}")


main()
