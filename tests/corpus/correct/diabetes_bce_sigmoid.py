"""Binary classification with a sigmoid at the end and BCELoss; batches by slicing a shuffled index."""
import numpy as np
import torch
import torch.nn as nn

np.random.seed(1)
torch.manual_seed(1)
raw = np.random.randn(480, 8)
risk = raw[:, 1] * 1.5 + raw[:, 5] - 0.5 * raw[:, 7] ** 2
dataset = np.column_stack([raw, (risk > 0).astype(float)])
X = torch.tensor(dataset[:, 0:8], dtype=torch.float32)
y = torch.tensor(dataset[:, 8], dtype=torch.float32).reshape(-1, 1)
Xtrain, ytrain, Xtest, ytest = X[:400], y[:400], X[400:], y[400:]


class PimaClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden1 = nn.Linear(8, 12)
        self.act1 = nn.ReLU()
        self.hidden2 = nn.Linear(12, 8)
        self.act2 = nn.ReLU()
        self.output = nn.Linear(8, 1)
        self.act_output = nn.Sigmoid()

    def forward(self, x):
        x = self.act1(self.hidden1(x))
        x = self.act2(self.hidden2(x))
        return self.act_output(self.output(x))


model = PimaClassifier()
print(model)
loss_fn = nn.BCELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
n_epochs, batch_size = 15, 20
for epoch in range(n_epochs):
    model.train()
    order = np.random.permutation(len(Xtrain))
    for i in range(0, len(Xtrain), batch_size):
        rows = order[i:i + batch_size]
        Xbatch, ybatch = Xtrain[rows], ytrain[rows]
        y_pred = model(Xbatch)
        loss = loss_fn(y_pred, ybatch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f'Finished epoch {epoch}, latest loss {loss}')
model.eval()
with torch.no_grad():
    accuracy = (model(Xtest).round() == ytest).float().mean()
print(f"Accuracy {accuracy}")
