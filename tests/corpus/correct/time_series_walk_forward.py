"""Walk-forward validation: windows in time order for testing, drawn at random for training, scaled by the past."""
import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(0)
series = np.sin(np.arange(700) / 15) * np.linspace(1, 2, 700) + 0.1 * rng.standard_normal(700)


def windows(a, n=20):
    w = torch.tensor(np.lib.stride_tricks.sliding_window_view(a, n + 1).copy(), dtype=torch.float32)
    return w[:, :-1].unsqueeze(-1), w[:, -1:]


torch.manual_seed(0)
for cut in (400, 550):
    past, future = series[:cut], series[cut - 20:cut + 150]
    mu, sd = past.mean(), past.std()
    (x, y), (xt, yt) = windows((past - mu) / sd), windows((future - mu) / sd)
    rnn, out = nn.LSTM(1, 16, batch_first=True), nn.Linear(16, 1)
    params = [*rnn.parameters(), *out.parameters()]
    opt = torch.optim.Adam(params, lr=1e-2)
    for epoch in range(3):
        for i in torch.randperm(len(x)).split(40):
            opt.zero_grad()
            loss = nn.functional.mse_loss(out(rnn(x[i])[0][:, -1]), y[i])
            loss.backward()
            nn.utils.clip_grad_norm_(params, 1.0)
            opt.step()
    with torch.no_grad():
        print(cut, loss.item(), nn.functional.mse_loss(out(rnn(xt)[0][:, -1]), yt).item())
