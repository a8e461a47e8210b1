# Reptile (Nichol, Achiam, Schulman 2018) on sine waves, condensed
import numpy as np
import torch
from torch import nn

seed = 0
innerstepsize = 0.02
innerepochs = 1
outerstepsize0 = 0.5
niterations = 600

rng = np.random.RandomState(seed)
torch.manual_seed(seed)

x_all = np.linspace(-5, 5, 50)[:, None]
ntrain = 10


def gen_task():
    phase = rng.uniform(low=0, high=2 * np.pi)
    ampl = rng.uniform(0.1, 5)
    return lambda x: np.sin(x + phase) * ampl


model = nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))


def totorch(x):
    return torch.tensor(x, dtype=torch.float32)


def train_on_batch(x, y):
    x, y = totorch(x), totorch(y)
    model.zero_grad()
    loss = (model(x) - y).pow(2).mean()
    loss.backward()
    with torch.no_grad():
        for param in model.parameters():
            param -= innerstepsize * param.grad


def predict(x):
    with torch.no_grad():
        return model(totorch(x)).numpy()


f_plot = gen_task()
xtrain_plot = x_all[rng.choice(len(x_all), size=ntrain)]
for iteration in range(niterations):
    weights_before = {k: v.clone() for k, v in model.state_dict().items()}
    f = gen_task()
    y_all = f(x_all)
    inds = rng.permutation(len(x_all))
    for _ in range(innerepochs):
        for start in range(0, len(x_all), ntrain):
            mbinds = inds[start : start + ntrain]
            train_on_batch(x_all[mbinds], y_all[mbinds])
    weights_after = model.state_dict()
    outerstepsize = outerstepsize0 * (1 - iteration / niterations)
    model.load_state_dict(
        {name: weights_before[name] + (weights_after[name] - weights_before[name]) * outerstepsize for name in weights_before}
    )
    if (iteration + 1) % 200 == 0:
        before = {k: v.clone() for k, v in model.state_dict().items()}
        for inneriter in range(32):
            train_on_batch(xtrain_plot, f_plot(xtrain_plot))
            if (inneriter + 1) % 8 == 0:
                lossval = np.square(predict(x_all) - f_plot(x_all)).mean()
                print(f"iteration {iteration + 1} after {inneriter + 1} inner steps: loss {lossval:.3f}")
        model.load_state_dict(before)
