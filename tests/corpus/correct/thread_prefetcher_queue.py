"""A background thread fills a queue with batches; the loop only sees an iterator. Regression with two heads."""
import queue
import threading

import numpy as np
import torch
from torch import nn


class Prefetcher:
    _END = object()

    def __init__(self, make_batches, depth=4):
        self.make_batches, self.depth = make_batches, depth

    def __iter__(self):
        q = queue.Queue(self.depth)

        def work():
            try:
                for b in self.make_batches():
                    q.put(b)
            finally:
                q.put(self._END)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        while (item := q.get()) is not self._END:
            yield item
        thread.join()


rng = np.random.default_rng(17)
torch.manual_seed(17)
x = rng.uniform(-2, 2, (1500, 5)).astype(np.float32)
signal = np.stack([np.sin(x[:, 0]) + x[:, 1] * x[:, 2], np.abs(x[:, 3]) - x[:, 4]], 1).astype(np.float32)
y = signal + rng.normal(0, 0.1, signal.shape).astype(np.float32)
cut = 1200


def train_batches():
    order = rng.permutation(cut)
    for s in range(0, cut, 80):
        pick = order[s:s + 80]
        yield torch.from_numpy(x[pick]), torch.from_numpy(y[pick])


def val_batches():
    for s in range(cut, len(x), 100):
        yield torch.from_numpy(x[s:s + 100]), torch.from_numpy(y[s:s + 100])


net = nn.Sequential(nn.Linear(5, 64), nn.ELU(), nn.Linear(64, 64), nn.ELU(), nn.Linear(64, 2))
opt = torch.optim.NAdam(net.parameters(), lr=3e-3)
huber = nn.HuberLoss(delta=0.5)
for epoch in range(8):
    for xb, yb in Prefetcher(train_batches):
        opt.zero_grad()
        huber(net(xb), yb).backward()
        opt.step()
    with torch.no_grad():
        err = torch.cat([(net(xb) - yb).square() for xb, yb in Prefetcher(val_batches)])
    print(f"epoch {epoch}: rmse per head {err.mean(0).sqrt().tolist()}")
