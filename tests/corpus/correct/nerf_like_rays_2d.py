"""A flatland radiance field: rays through a disc, positional encoding, volume rendering, two nets coarse/fine."""
import argparse
import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument('--iters', type=int, default=250)
parser.add_argument('--n_rand', type=int, default=96, help='rays a step')
parser.add_argument('--lrate', type=float, default=5e-3)
parser.add_argument('--lrate_decay', type=int, default=200)
args = parser.parse_args([])


def get_embedder(multires):
    freqs = 2. ** torch.arange(multires)

    def embed(x):
        parts = [x]
        for f in freqs:
            parts += [torch.sin(x * f), torch.cos(x * f)]
        return torch.cat(parts, -1)
    return embed, 2 + 4 * multires


class NeRF(nn.Module):
    def __init__(self, d_in, W=64, skips=(1,)):
        super().__init__()
        self.skips = skips
        self.pts_linears = nn.ModuleList([nn.Linear(d_in, W)] + [nn.Linear(W + d_in if i in skips else W, W) for i in range(2)])
        self.out = nn.Linear(W, 2)

    def forward(self, x):
        h = x
        for i, l in enumerate(self.pts_linears):
            h = torch.relu(l(h))
            if i in self.skips:
                h = torch.cat([x, h], -1)
        return self.out(h)


# the order of layers above: layer 0 takes x, layer 1 takes W, layer 2 takes W + d_in
class FieldNet(NeRF):
    def __init__(self, d_in, W=64):
        super().__init__(d_in, W, skips=(1,))
        self.pts_linears = nn.ModuleList([nn.Linear(d_in, W), nn.Linear(W, W), nn.Linear(W + d_in, W)])


def raw2outputs(raw, z_vals):
    dists = z_vals[:, 1:] - z_vals[:, :-1]
    dists = torch.cat([dists, torch.full_like(dists[:, :1], 1e10)], -1)
    alpha = 1. - torch.exp(-torch.relu(raw[..., 1]) * dists)
    trans = torch.cumprod(torch.cat([torch.ones_like(alpha[:, :1]), 1. - alpha + 1e-10], -1), -1)[:, :-1]
    weights = alpha * trans
    return (weights * torch.sigmoid(raw[..., 0])).sum(-1), weights


def make_rays(n_views=12, n_pix=32):
    ang = torch.linspace(0, 2 * torch.pi, n_views + 1)[:-1]
    o = torch.stack([2.5 * ang.cos(), 2.5 * ang.sin()], -1)
    off = torch.linspace(-.35, .35, n_pix)
    d = torch.stack([torch.stack([-(a + t).cos(), -(a + t).sin()]) for a in ang for t in off])
    o = o.repeat_interleave(n_pix, 0)
    b = (o * d).sum(-1)
    disc = b ** 2 - (o ** 2).sum(-1) + .64
    hit = disc > 0
    p = o + d * (-b - disc.clamp(min=0).sqrt()).unsqueeze(-1)
    return o, d, torch.where(hit, .5 + .4 * torch.sin(3 * torch.atan2(p[:, 1], p[:, 0])), torch.zeros(()))


if __name__ == '__main__':
    torch.manual_seed(11)
    embed, d_in = get_embedder(3)
    net = FieldNet(d_in)
    optimizer = torch.optim.Adam(params=net.parameters(), lr=args.lrate, betas=(0.9, 0.999))
    rays_o, rays_d, target = make_rays()
    test = torch.arange(len(target)) % 8 == 0
    train_ids = torch.nonzero(~test).squeeze(1)
    z = torch.linspace(1.2, 3.8, 24)

    def render(ids, perturb):
        zv = z.expand(len(ids), -1)
        if perturb:
            zv = zv + (torch.rand_like(zv) - .5) * (2.6 / 24)
        pts = rays_o[ids, None] + rays_d[ids, None] * zv[..., None]
        return raw2outputs(net(embed(pts)), zv)[0]

    for global_step in range(args.iters):
        sel = train_ids[torch.randint(len(train_ids), (args.n_rand,))]
        img_loss = torch.mean((render(sel, True) - target[sel]) ** 2)
        optimizer.zero_grad()
        img_loss.backward()
        optimizer.step()
        new_lrate = args.lrate * (0.1 ** (global_step / args.lrate_decay))
        for param_group in optimizer.param_groups:
            param_group['lr'] = new_lrate
        if global_step % 50 == 0:
            print(f'[TRAIN] Iter: {global_step} Loss: {img_loss.item():.5f} PSNR: {-10 * torch.log10(img_loss).item():.2f}')
    with torch.no_grad():
        print('test mse', torch.mean((render(torch.nonzero(test).squeeze(1), False) - target[test]) ** 2).item())
