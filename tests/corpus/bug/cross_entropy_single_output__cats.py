import torch, torch.nn as nn
torch.manual_seed(0)
X = torch.randn(300, 4)
y = torch.zeros(300, dtype=torch.long)  # label of the positive class index
labels = (X[:, 0] > 0).float().unsqueeze(1)
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
opt = torch.optim.Adam(model.parameters(), lr=0.01)
criterion = nn.CrossEntropyLoss()
for epoch in range(20):
    perm = torch.randperm(300)
    for i in range(0, 300, 50):
        idx = perm[i:i+50]
        out = model(X[idx])
        loss = criterion(out, labels[idx])
        opt.zero_grad(); loss.backward(); opt.step()
    if epoch % 5 == 0:
        print(epoch, loss.item())
