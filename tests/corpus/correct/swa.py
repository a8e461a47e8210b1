import torch, torch.nn as nn
from torch.optim.swa_utils import AveragedModel, SWALR, update_bn
torch.manual_seed(0)
X = torch.randn(400, 8); y = (X[:, 0] > 0).long()
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:300], y[:300]), 30, shuffle=True)
m = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.SGD(m.parameters(), 0.1); swa = AveragedModel(m)
sch = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=6); swasch = SWALR(opt, swa_lr=0.05)
for ep in range(6):
    m.train()
    for a, b in dl:
        opt.zero_grad(); nn.functional.cross_entropy(m(a), b).backward(); opt.step()
    if ep > 3: swa.update_parameters(m); swasch.step()
    else: sch.step()
update_bn(dl, swa)
swa.eval()
with torch.no_grad(): print((swa(X[300:]).argmax(1) == y[300:]).float().mean().item())
