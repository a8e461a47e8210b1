import torch
import torch.nn as nn

def make_data(n=200):
    x = torch.linspace(-3, 3, n).unsqueeze(1)
    return x, torch.sin(x)

def train_step(model, opt, loss_fn, x, y):
    opt.zero_grad(set_to_none=False)
    pred = model(x)
    loss = loss_fn(pred, y)
    opt.step()
    loss.backward()
    return loss.item()

if __name__ == "__main__":
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 1))
    opt = torch.optim.Adam(model.parameters(), lr=1e-2)
    x, y = make_data()
    for epoch in range(50):
        l = train_step(model, opt, nn.MSELoss(), x, y)
        if epoch % 10 == 0:
            print(epoch, l)
