"""bfloat16 autocast on whatever device there is; no scaler is needed for bfloat16."""
import torch
import torchvision
from torch import nn
from torch.utils.data import DataLoader, Subset
from torchvision.transforms import v2

torch.manual_seed(0)
dev = torch.device("cuda" if torch.cuda.is_available() else "cpu")
tf = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize((0.286,), (0.353,))])
train_ds = torchvision.datasets.FashionMNIST("data", True, tf, download=True)
test_ds = torchvision.datasets.FashionMNIST("data", False, tf, download=True)
train_dl = DataLoader(Subset(train_ds, range(384)), 64, shuffle=True, pin_memory=dev.type == "cuda")
test_dl = DataLoader(Subset(test_ds, range(128)), 128)
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.GELU(), nn.LayerNorm(128), nn.Linear(128, 10)).to(dev)
opt = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.05)
for ep in range(3):
    net.train()
    for xb, yb in train_dl:
        xb, yb = xb.to(dev, non_blocking=True), yb.to(dev, non_blocking=True)
        with torch.autocast(dev.type, dtype=torch.bfloat16):
            loss = nn.functional.cross_entropy(net(xb), yb)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
    net.eval()
    with torch.inference_mode(), torch.autocast(dev.type, dtype=torch.bfloat16):
        acc = torch.cat([net(x.to(dev)).argmax(1).cpu() == y for x, y in test_dl]).float().mean()
    print(ep, float(loss.detach()), float(acc))
