"""GRU on accelerometer-like windows; triangular2 cyclic rate stepped each batch, numpy batches (Keras habits)."""
import numpy as np
import torch
import torch.nn as nn

SEED = 2021
np.random.seed(SEED)
torch.manual_seed(SEED)

X, Y = [], []
for k in range(900):
    c = k % 3
    t = np.arange(30) / 30
    phase = np.random.rand() * 6.28
    s = np.stack([np.sin(2 * np.pi * (c + 1) * t + phase), np.cos(2 * np.pi * (c + 1) * t + phase), t * c], 1)
    X.append(s + np.random.randn(30, 3) * 0.5)
    Y.append(c)
X, Y = np.asarray(X, dtype="float32"), np.asarray(Y)
idx = np.random.permutation(900)
x_train, y_train, x_val, y_val = X[idx[:720]], Y[idx[:720]], X[idx[720:]], Y[idx[720:]]


class RNNModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(3, 24, batch_first=True, bidirectional=True)
        self.drop = nn.Dropout(0.3)
        self.fc = nn.Linear(48, 3)

    def forward(self, x):
        _, h = self.gru(x)                    # (2, batch, 24)
        h = h.permute(1, 0, 2).flatten(1)     # (batch, 48)
        return self.fc(self.drop(h))


model = RNNModel()
opt = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
sched = torch.optim.lr_scheduler.CyclicLR(opt, base_lr=0.02, max_lr=0.3, step_size_up=24, mode="triangular2")
loss_fn = nn.CrossEntropyLoss()
history = {"loss": [], "val_acc": [], "lr": []}

for epoch in range(8):
    model.train()
    p = np.random.permutation(len(x_train))
    run = 0.0
    for b in np.array_split(p, 12):           # 12 batches of 60
        opt.zero_grad()
        loss = loss_fn(model(torch.from_numpy(x_train[b])), torch.from_numpy(y_train[b]))
        loss.backward()
        opt.step()
        sched.step()
        run += float(loss) * len(b)
    model.eval()
    with torch.no_grad():
        pred = model(torch.from_numpy(x_val)).numpy().argmax(1)
    history["loss"].append(run / len(x_train))
    history["val_acc"].append((pred == y_val).mean())
    history["lr"].append(sched.get_last_lr()[0])
    print("epoch", epoch + 1, {k: round(float(v[-1]), 4) for k, v in history.items()})
