# Pointer network that sorts numbers. First project, parts from three places.
import torch
import torch.nn as nn
import numpy as np

torch.manual_seed(0); np.random.seed(0)


def gen(n, L=6):
    a = np.random.rand(n, L).astype(np.float32)
    return torch.from_numpy(a), torch.from_numpy(a.argsort(1))


class PtrNet(nn.Module):
    def __init__(self, hid=32):
        super(PtrNet, self).__init__()
        self.enc = nn.LSTM(1, hid, batch_first=True)
        self.dec = nn.LSTMCell(1, hid)
        self.w1 = nn.Linear(hid, hid, bias=False)
        self.w2 = nn.Linear(hid, hid, bias=False)
        self.v = nn.Linear(hid, 1, bias=False)

    def forward(self, x, target=None):
        B, L = x.shape
        H, (h, c) = self.enc(x.unsqueeze(-1))
        h, c = h[0], c[0]
        inp = torch.zeros(B, 1)
        scores = []
        for t in range(L):
            h, c = self.dec(inp, (h, c))
            u = self.v(torch.tanh(self.w1(H) + self.w2(h).unsqueeze(1))).squeeze(-1)
            scores.append(u)
            pick = target[:, t] if target is not None else u.argmax(1)
            inp = x.gather(1, pick.unsqueeze(1))
        return torch.stack(scores, 1)


x_train, y_train = gen(1280)
x_test, y_test = gen(320)
net = PtrNet()
optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
crit = nn.CrossEntropyLoss()


def test():
    net.eval()
    torch.no_grad()
    good = 0
    for i in range(0, 320, 64):
        out = net(x_test[i:i + 64])
        good += (out.argmax(-1) == y_test[i:i + 64]).sum().item()
    return good / y_test.numel()


for epoch in range(4):
    net.train()
    order = np.random.permutation(1280)
    for i in range(0, 1280, 64):
        b = order[i:i + 64]
        optimizer.zero_grad()
        out = net(x_train[b], y_train[b])
        loss = crit(out.reshape(-1, 6), y_train[b].reshape(-1))
        loss.backward()
        optimizer.step()
    print('epoch', epoch, 'loss', loss.item(), 'test', test())
