"""Two generators, two critics, a pool of old fakes, cycle and identity losses; rates fall after half the epochs."""
import itertools
import random

import torch
from torch import nn


class ImagePool:
    def __init__(self, size=50):
        self.size, self.images = size, []

    def query(self, images):
        out = []
        for im in images.detach():
            if len(self.images) < self.size:
                self.images.append(im)
                out.append(im)
            elif random.random() > 0.5:
                k = random.randrange(self.size)
                out.append(self.images[k].clone())
                self.images[k] = im
            else:
                out.append(im)
        return torch.stack(out)


def set_requires_grad(nets, flag):
    for net in nets:
        for p in net.parameters():
            p.requires_grad = flag


mk = lambda o: nn.Sequential(nn.Linear(2, 24), nn.ReLU(), nn.Linear(24, o))
random.seed(0)
torch.manual_seed(0)
G_A, G_B, D_A, D_B = mk(2), mk(2), mk(1), mk(1)
opt_G = torch.optim.Adam(itertools.chain(G_A.parameters(), G_B.parameters()), lr=1e-3, betas=(0.5, 0.999))
opt_D = torch.optim.Adam(itertools.chain(D_A.parameters(), D_B.parameters()), lr=1e-3, betas=(0.5, 0.999))
epochs = 6
rule = lambda e: 1.0 - max(0, e - epochs // 2) / float(epochs // 2 + 1)
schedulers = [torch.optim.lr_scheduler.LambdaLR(o, rule) for o in (opt_G, opt_D)]
pool_A, pool_B = ImagePool(), ImagePool()
gan = lambda pred, real: nn.functional.mse_loss(pred, torch.full_like(pred, float(real)))
l1 = nn.L1Loss()


def backward_D(net, real, fake):
    loss = 0.5 * (gan(net(real), True) + gan(net(fake), False))
    loss.backward()
    return loss


for epoch in range(epochs):
    for _ in range(12):
        real_A = torch.randn(32, 2) * 0.3 + 1
        real_B = torch.randn(32, 2) * 0.3 - 1
        fake_B, fake_A = G_A(real_A), G_B(real_B)
        rec_A, rec_B = G_B(fake_B), G_A(fake_A)
        set_requires_grad([D_A, D_B], False)
        opt_G.zero_grad()
        loss_G = gan(D_A(fake_B), True) + gan(D_B(fake_A), True) + 5 * (l1(rec_A, real_A) + l1(rec_B, real_B)) \
            + 0.5 * (l1(G_A(real_B), real_B) + l1(G_B(real_A), real_A))
        loss_G.backward()
        opt_G.step()
        set_requires_grad([D_A, D_B], True)
        opt_D.zero_grad()
        loss_D_A = backward_D(D_A, real_B, pool_B.query(fake_B))
        loss_D_B = backward_D(D_B, real_A, pool_A.query(fake_A))
        opt_D.step()
    for s in schedulers:
        s.step()
    print(epoch, loss_G.item(), loss_D_A.item(), loss_D_B.item(), opt_G.param_groups[0]["lr"])
