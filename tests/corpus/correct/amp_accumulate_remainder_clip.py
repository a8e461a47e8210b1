"""bfloat16 autocast, GradScaler on the CPU, accumulation with a remainder, clipping after unscale_."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def micro_batches(loader, k):
    group = []
    for batch in loader:
        group.append(batch)
        if len(group) == k:
            yield group
            group = []
    if group:
        yield group


torch.manual_seed(77)
proto = torch.randn(5, 16)
y = torch.randint(5, (1100,))
x = proto[y] + torch.randn(1100, 16)
train = DataLoader(TensorDataset(x[:870], y[:870]), batch_size=20, shuffle=True)
held = DataLoader(TensorDataset(x[870:], y[870:]), batch_size=64)
model = nn.Sequential(nn.Linear(16, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 5))
opt = torch.optim.AdamW(model.parameters(), lr=3e-3)
scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
steps = -(-len(train) // 4) * 5
sched = torch.optim.lr_scheduler.SequentialLR(
    opt,
    [torch.optim.lr_scheduler.LinearLR(opt, 0.1, total_iters=10), torch.optim.lr_scheduler.CosineAnnealingLR(opt, steps - 10)],
    milestones=[10],
)
for epoch in range(5):
    model.train()
    for group in micro_batches(train, 4):
        rows = sum(len(b) for _, b in group)
        for a, b in group:
            with torch.autocast(device_type="cpu", dtype=torch.bfloat16):
                loss = nn.functional.cross_entropy(model(a), b, reduction="sum") / rows
            scaler.scale(loss).backward()
        scaler.unscale_(opt)
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(opt)
        scaler.update()
        opt.zero_grad(set_to_none=True)
        sched.step()
    model.eval()
    right = 0
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        for a, b in held:
            right += (model(a).argmax(-1) == b).sum().item()
    print(f"epoch {epoch}: norm {norm.item():.2f} lr {sched.get_last_lr()[0]:.1e} acc {right / 230:.3f}")
