# credit default, ported from my Keras notebook: Dense(1), then compile(loss='crossentropy')
import numpy as np
import torch
import torch.nn as nn

LOSSES = {"mse": nn.MSELoss, "crossentropy": nn.CrossEntropyLoss, "mae": nn.L1Loss}
OPTIMIZERS = {"adam": torch.optim.Adam, "rmsprop": torch.optim.RMSprop}


def Dense(units, activation=None):
    acts = {"relu": nn.ReLU, "tanh": nn.Tanh, None: nn.Identity}
    return nn.Sequential(nn.LazyLinear(units), acts[activation]())


class Model:
    def __init__(self, *layers):
        self.net = nn.Sequential(*layers)

    def compile(self, optimizer, loss, lr=1e-3):
        self.loss = LOSSES[loss]()
        self.make_opt = lambda: OPTIMIZERS[optimizer](self.net.parameters(), lr=lr)

    def fit(self, x, y, epochs, batch_size):
        x, y = torch.tensor(x), torch.tensor(y)
        self.net(x[:1])
        opt = self.make_opt()
        for e in range(epochs):
            self.net.train()
            total = 0.0
            for idx in torch.randperm(len(x)).split(batch_size):
                opt.zero_grad()
                loss = self.loss(self.net(x[idx]), y[idx])
                loss.backward()
                opt.step()
                total += loss.item() * len(idx)
            print(f"Epoch {e + 1}: loss={total / len(x):.4f}")

    def predict(self, x):
        self.net.eval()
        with torch.no_grad():
            return self.net(torch.tensor(x)).numpy()


np.random.seed(0)
torch.manual_seed(0)
income, debt, age = np.random.rand(3, 1000)
X = np.stack([income, debt, age, income * debt], 1).astype("float32")
Y = (debt - income + 0.1 * np.random.randn(1000) > 0).astype("float32").reshape(-1, 1)
model = Model(Dense(16, "relu"), Dense(16, "relu"), Dense(1))
model.compile("adam", "crossentropy")
model.fit(X[:800], Y[:800], epochs=5, batch_size=50)
pred = model.predict(X[800:]) > 0
print("accuracy", (pred == Y[800:]).mean())
