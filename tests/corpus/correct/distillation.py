import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
X = torch.randn(600, 10); y = X[:, :4].argmax(1)
tl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[:500], y[:500]), 50, shuffle=True)
vl = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X[500:], y[500:]), 50)
teacher = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 4))
student = nn.Sequential(nn.Linear(10, 8), nn.ReLU(), nn.Linear(8, 4))
def train(model, epochs):
    opt = torch.optim.Adam(model.parameters(), 1e-2); model.train()
    for _ in range(epochs):
        for a, b in tl:
            opt.zero_grad(); F.cross_entropy(model(a), b).backward(); opt.step()
def distill(teacher, student, epochs, T=2.0, w=0.25):
    opt = torch.optim.Adam(student.parameters(), 1e-2)
    teacher.eval(); student.train()
    for e in range(epochs):
        run = 0.0
        for a, b in tl:
            opt.zero_grad()
            with torch.no_grad(): tlog = teacher(a)
            slog = student(a)
            soft = F.softmax(tlog / T, dim=-1); sp = F.log_softmax(slog / T, dim=-1)
            kd = torch.sum(soft * (soft.log() - sp)) / sp.size(0) * T ** 2
            loss = w * kd + (1 - w) * F.cross_entropy(slog, b)
            loss.backward(); opt.step(); run += loss.item()
        print(e, run / len(tl))
def test(model):
    model.eval(); ok = 0
    with torch.no_grad():
        for a, b in vl: ok += (model(a).argmax(1) == b).sum().item()
    return 100 * ok / 100
train(teacher, 3); print(test(teacher)); distill(teacher, student, 3); print(test(student))
