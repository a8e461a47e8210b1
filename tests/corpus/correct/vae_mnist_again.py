import torch
from torch import nn, optim
from torch.nn import functional as F
from torchvision import datasets, transforms
torch.manual_seed(1)
train_loader = torch.utils.data.DataLoader(datasets.MNIST('data', train=True, download=True, transform=transforms.ToTensor()), batch_size=128, shuffle=True)
test_loader = torch.utils.data.DataLoader(datasets.MNIST('data', train=False, transform=transforms.ToTensor()), batch_size=128, shuffle=False)
class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 32); self.fc21 = nn.Linear(32, 4); self.fc22 = nn.Linear(32, 4)
        self.fc3 = nn.Linear(4, 32); self.fc4 = nn.Linear(32, 784)
    def encode(self, x):
        h1 = F.relu(self.fc1(x)); return self.fc21(h1), self.fc22(h1)
    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        return mu + torch.randn_like(std) * std
    def decode(self, z):
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))
    def forward(self, x):
        mu, logvar = self.encode(x.view(-1, 784))
        return self.decode(self.reparameterize(mu, logvar)), mu, logvar
model = VAE(); optimizer = optim.Adam(model.parameters(), lr=1e-3)
def loss_function(recon_x, x, mu, logvar):
    BCE = F.binary_cross_entropy(recon_x, x.view(-1, 784), reduction='sum')
    KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return BCE + KLD
def train(epoch):
    model.train(); train_loss = 0
    for batch_idx, (data, _) in enumerate(train_loader):
        optimizer.zero_grad()
        recon, mu, logvar = model(data)
        loss = loss_function(recon, data, mu, logvar)
        loss.backward(); train_loss += loss.item(); optimizer.step()
    print('Epoch', epoch, train_loss / len(train_loader.dataset))
def test(epoch):
    model.eval(); test_loss = 0
    with torch.no_grad():
        for data, _ in test_loader:
            recon, mu, logvar = model(data)
            test_loss += loss_function(recon, data, mu, logvar).item()
    print('Test', test_loss / len(test_loader.dataset))
for epoch in range(1, 3):
    train(epoch); test(epoch)
    with torch.no_grad():
        sample = model.decode(torch.randn(8, 4))
