"""Restricted Boltzmann machine trained by CD-1; there is no autograd in it at all."""
import torch


class RBM:
    def __init__(self, n_vis, n_hid, k=1, lr=0.05, momentum=0.5, weight_decay=1e-4):
        self.w = 0.01 * torch.randn(n_vis, n_hid)
        self.a, self.b = torch.zeros(n_vis), torch.zeros(n_hid)
        self.dw, self.da, self.db = torch.zeros_like(self.w), torch.zeros(n_vis), torch.zeros(n_hid)
        self.k, self.lr, self.momentum, self.weight_decay = k, lr, momentum, weight_decay

    def hidden(self, v):
        return torch.sigmoid(v @ self.w + self.b)

    def visible(self, h):
        return torch.sigmoid(h @ self.w.t() + self.a)

    def contrastive_divergence(self, v0):
        ph0 = self.hidden(v0)
        h = ph0.bernoulli()
        for _ in range(self.k):
            v = self.visible(h).bernoulli()
            ph = self.hidden(v)
            h = ph.bernoulli()
        n = len(v0)
        self.dw = self.momentum * self.dw + (v0.t() @ ph0 - v.t() @ ph) / n
        self.da = self.momentum * self.da + (v0 - v).mean(0)
        self.db = self.momentum * self.db + (ph0 - ph).mean(0)
        self.w += self.lr * (self.dw - self.weight_decay * self.w)
        self.a += self.lr * self.da
        self.b += self.lr * self.db
        return (v0 - self.visible(ph0)).pow(2).sum(1).mean().item()


def bars_and_stripes(n, side=5):
    rows = (torch.rand(n, side, 1) < 0.5).float().expand(n, side, side)
    flip = torch.rand(n) < 0.5
    return torch.where(flip[:, None, None], rows, rows.transpose(1, 2)).reshape(n, -1)


torch.manual_seed(0)
data = bars_and_stripes(1000)
rbm = RBM(25, 32)
for epoch in range(30):
    errors = [rbm.contrastive_divergence(batch) for batch in data[torch.randperm(1000)].split(20)]
    if epoch % 6 == 5:
        print(f"epoch {epoch + 1}: reconstruction error {sum(errors) / len(errors):.3f}")
