# Growing neural cellular automata on a 12x12 cross: sample pool, stochastic update, per-parameter gradient normalisation
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

CH, SIZE, POOL, BATCH = 8, 12, 32, 6


class CA(nn.Module):
    def __init__(self):
        super().__init__()
        ident = torch.zeros(3, 3); ident[1, 1] = 1
        dx = torch.outer(torch.tensor([1., 2., 1.]), torch.tensor([-1., 0., 1.])) / 8
        self.register_buffer('kernel', torch.stack([ident, dx, dx.T]).repeat(CH, 1, 1)[:, None])
        self.dmodel = nn.Sequential(nn.Conv2d(3 * CH, 48, 1), nn.ReLU(), nn.Conv2d(48, CH, 1))
        nn.init.zeros_(self.dmodel[-1].weight); nn.init.zeros_(self.dmodel[-1].bias)

    def alive(self, x):
        return F.max_pool2d(x[:, 3:4], 3, 1, 1) > 0.1

    def forward(self, x):
        pre = self.alive(x)
        y = F.conv2d(x, self.kernel, padding=1, groups=CH)
        x = x + self.dmodel(y) * (torch.rand(x.shape[0], 1, SIZE, SIZE) < 0.5)
        return x * (pre & self.alive(x))


def make_seed(n):
    s = np.zeros((n, CH, SIZE, SIZE), np.float32)
    s[:, 3:, SIZE // 2, SIZE // 2] = 1
    return s


target = torch.zeros(4, SIZE, SIZE)
target[:, 2:10, 5:7] = 1; target[:, 5:7, 2:10] = 1; target[1:3] *= 0.3
torch.manual_seed(0); np.random.seed(0)
ca, pool = CA(), make_seed(POOL)
opt = torch.optim.Adam(ca.parameters(), lr=4e-3)
sched = torch.optim.lr_scheduler.MultiStepLR(opt, [90], 0.3)
for step in range(120):
    pick = np.random.choice(POOL, BATCH, replace=False)
    x0 = pool[pick]
    err = ((x0[:, :4] - target.numpy()) ** 2).mean((1, 2, 3))
    x0 = x0[err.argsort()[::-1]]
    x0[:1] = make_seed(1)
    x = torch.from_numpy(x0.copy())
    for _ in range(np.random.randint(10, 16)):
        x = ca(x)
    loss = F.mse_loss(x[:, :4], target.expand(BATCH, -1, -1, -1))
    opt.zero_grad()
    loss.backward()
    for p in ca.parameters():
        p.grad /= p.grad.norm() + 1e-8
    opt.step()
    sched.step()
    pool[pick] = x.detach().numpy()
    if step % 20 == 0:
        print('step', step, 'log10(loss)', np.log10(loss.item()).round(3))
