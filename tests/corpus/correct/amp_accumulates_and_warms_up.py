"""Mixed precision with gradient accumulation, clipping, warm-up and cosine decay."""
import math

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset


class Waves(Dataset):
    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        t = torch.linspace(0, 1, 64)
        self.y = torch.randint(0, 4, (n,), generator=g)
        phase = 2 * math.pi * torch.rand(n, 1, generator=g)
        self.x = torch.sin(2 * math.pi * (self.y[:, None] + 1) * t + phase) + 0.3 * torch.randn(n, 64, generator=g)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return {"wave": self.x[i][None], "label": self.y[i]}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(1, 16, 7, padding=3), nn.GroupNorm(4, 16), nn.GELU(), nn.MaxPool1d(2),
            nn.Conv1d(16, 32, 5, padding=2), nn.GroupNorm(4, 32), nn.GELU(), nn.AdaptiveAvgPool1d(1),
        )
        self.head = nn.Linear(32, 4)

    def forward(self, x):
        return self.head(self.body(x).flatten(1))


def lr_lambda(step, warmup=5, total=60):
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))


def main(epochs=5, accumulation=4):
    torch.manual_seed(42)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    train = DataLoader(Waves(768, 0), batch_size=16, shuffle=True, drop_last=True)
    valid = DataLoader(Waves(128, 1), batch_size=64)
    model = Net().to(device)
    decay = [p for n, p in model.named_parameters() if p.dim() > 1]
    rest = [p for n, p in model.named_parameters() if p.dim() <= 1]
    optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.01}, {"params": rest, "weight_decay": 0.0}], lr=5e-3)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lr_lambda)
    scaler = torch.amp.GradScaler(device, enabled=device == "cuda")
    loss_fn = nn.CrossEntropyLoss(label_smoothing=0.05)
    for epoch in range(epochs):
        model.train()
        seen, total = 0, 0.0
        optimizer.zero_grad(set_to_none=True)
        for i, batch in enumerate(train):
            x, y = batch["wave"].to(device), batch["label"].to(device)
            with torch.autocast(device_type=device, dtype=torch.bfloat16):
                out = model(x)
                loss = loss_fn(out, y)
            scaler.scale(loss / accumulation).backward()
            total, seen = total + loss.detach().item() * len(y), seen + len(y)
            if (i + 1) % accumulation == 0:
                scaler.unscale_(optimizer)
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                scaler.step(optimizer)
                scaler.update()
                optimizer.zero_grad(set_to_none=True)
                scheduler.step()
        model.eval()
        hits = n = 0
        with torch.inference_mode():
            for batch in valid:
                with torch.autocast(device_type=device, dtype=torch.bfloat16):
                    out = model(batch["wave"].to(device))
                hits += (out.float().argmax(1).cpu() == batch["label"]).sum().item()
                n += len(batch["label"])
        print(f"epoch {epoch} loss {total / seen:.3f} acc {hits / n:.3f} lr {scheduler.get_last_lr()[0]:.2e}")


main()
