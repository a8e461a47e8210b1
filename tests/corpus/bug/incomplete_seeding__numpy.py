import random
import numpy as np
import torch, torch.nn as nn
SEED = 1234
random.seed(SEED)
np.random.seed(SEED)
X = np.random.randn(300, 5).astype("float32"); y = (X[:, 0] > 0).astype("int64")
X, y = torch.from_numpy(X), torch.from_numpy(y)
dl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, y), 30, shuffle=True)
net = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 2))
opt = torch.optim.Adam(net.parameters(), 1e-2)
for ep in range(3):
    for a, b in dl:
        opt.zero_grad(); loss = nn.functional.cross_entropy(net(a), b); loss.backward(); opt.step()
    print(ep, loss.item())
