"""Non-saturating GAN with a lazy R1 penalty (every fourth step), EMA of the generator."""
import copy, math
import torch, torch.nn as nn, torch.nn.functional as F

CFG = dict(z=8, batch=128, steps=240, r1_gamma=1.0, r1_every=4, ema=0.98, lr=1e-3)


def mlp(i, o, h=64, act=nn.LeakyReLU):
    return nn.Sequential(nn.Linear(i, h), act(0.2), nn.Linear(h, h), act(0.2), nn.Linear(h, o))


def real_batch(n):
    t = torch.rand(n) * 2 * math.pi
    r = torch.where(torch.rand(n) < .5, 1., 2.) + .05 * torch.randn(n)
    return torch.stack([r * t.cos(), r * t.sin()], 1)


def requires_grad(model, flag):
    for p in model.parameters():
        p.requires_grad = flag


def d_r1_loss(pred, x):
    grad, = torch.autograd.grad(outputs=pred.sum(), inputs=x, create_graph=True)
    return grad.pow(2).reshape(grad.shape[0], -1).sum(1).mean()


@torch.no_grad()
def accumulate(ema, live, decay):
    for a, b in zip(ema.parameters(), live.parameters()):
        a.mul_(decay).add_(b, alpha=1 - decay)


torch.manual_seed(0)
G, D = mlp(CFG['z'], 2), mlp(2, 1)
G_ema = copy.deepcopy(G).eval(); requires_grad(G_ema, False)
g_opt = torch.optim.Adam(G.parameters(), lr=CFG['lr'], betas=(0., .99))
ratio = CFG['r1_every'] / (CFG['r1_every'] + 1)
d_opt = torch.optim.Adam(D.parameters(), lr=CFG['lr'] * ratio, betas=(0., .99 ** ratio))

for i in range(CFG['steps']):
    requires_grad(G, False); requires_grad(D, True)
    real, fake = real_batch(CFG['batch']), G(torch.randn(CFG['batch'], CFG['z']))
    d_loss = F.softplus(-D(real)).mean() + F.softplus(D(fake)).mean()
    D.zero_grad(); d_loss.backward(); d_opt.step()

    if i % CFG['r1_every'] == 0:
        real.requires_grad = True
        r1 = d_r1_loss(D(real), real)
        D.zero_grad(); (CFG['r1_gamma'] / 2 * r1 * CFG['r1_every']).backward(); d_opt.step()

    requires_grad(G, True); requires_grad(D, False)
    g_loss = F.softplus(-D(G(torch.randn(CFG['batch'], CFG['z'])))).mean()
    G.zero_grad(); g_loss.backward(); g_opt.step()
    accumulate(G_ema, G, CFG['ema'])
    if i % 40 == 0:
        with torch.no_grad():
            r = G_ema(torch.randn(512, CFG['z'])).norm(dim=1)
        print(f'{i}: d {d_loss.item():.3f} g {g_loss.item():.3f} r1 {r1.item():.3f} radius {r.mean().item():.2f}±{r.std().item():.2f}')
