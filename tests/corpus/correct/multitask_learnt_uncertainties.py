"""Multi-task regression and classification with learnt uncertainties (Kendall et al.)."""
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset, Subset

torch.manual_seed(3)
X = torch.randn(600, 12)
Y_reg = (X[:, :2] @ torch.tensor([[1.0], [-2.0]]) + 0.1 * torch.randn(600, 1))
Y_cls = (X[:, 2:5].sum(1) > 0).long()
data = TensorDataset(X, Y_reg, Y_cls)
order = torch.randperm(600).tolist()
train_dl = DataLoader(Subset(data, order[:480]), batch_size=48, shuffle=True)
valid_dl = DataLoader(Subset(data, order[480:]), batch_size=120)


class MultiTask(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(12, 32), nn.LayerNorm(32), nn.SiLU())
        self.heads = nn.ModuleDict({"reg": nn.Linear(32, 1), "cls": nn.Linear(32, 2)})
        self.log_vars = nn.Parameter(torch.zeros(2))

    def forward(self, x):
        h = self.trunk(x)
        return {k: head(h) for k, head in self.heads.items()}

    def loss(self, out, reg, cls):
        each = torch.stack([nn.functional.mse_loss(out["reg"], reg), nn.functional.cross_entropy(out["cls"], cls)])
        return (torch.exp(-self.log_vars) * each + self.log_vars).sum(), each.detach()


model = MultiTask()
opt = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=1e-3)
sched = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=1e-2, total_steps=6 * len(train_dl))
for epoch in range(6):
    model.train()
    parts = torch.zeros(2)
    for x, reg, cls in train_dl:
        loss, each = model.loss(model(x), reg, cls)
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        parts += each
    model.eval()
    with torch.no_grad():
        x, reg, cls = next(iter(valid_dl))
        out = model(x)
        mae = (out["reg"] - reg).abs().mean().item()
        acc = (out["cls"].argmax(1) == cls).float().mean().item()
    print(epoch, (parts / len(train_dl)).tolist(), f"mae {mae:.3f} acc {acc:.3f}")
