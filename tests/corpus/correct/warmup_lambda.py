"""Linear warm-up and inverse square root decay through LambdaLR, per step."""
import torch
import torch.nn as nn

torch.manual_seed(0)
WARMUP = 30


def rate(step):
    step = max(step, 1)
    return min(step / WARMUP, (WARMUP / step) ** 0.5)


src = torch.randint(0, 12, (512, 6))
tgt = (src + 1) % 12
layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, batch_first=True, norm_first=True)
net = nn.Sequential(nn.Embedding(12, 32), nn.TransformerEncoder(layer, 1, enable_nested_tensor=False), nn.Linear(32, 12))
opt = torch.optim.Adam(net.parameters(), lr=5e-3, betas=(0.9, 0.98), eps=1e-9)
sched = torch.optim.lr_scheduler.LambdaLR(opt, rate)
step = 0
for epoch in range(6):
    for idx in torch.randperm(512).split(32):
        logits = net(src[idx])
        loss = nn.functional.cross_entropy(logits.transpose(1, 2), tgt[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        step += 1
    print(epoch, step, f"{loss.item():.4f}", f"{opt.param_groups[0]['lr']:.2e}")
