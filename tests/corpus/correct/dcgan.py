import torch, torch.nn as nn
torch.manual_seed(999)
nz = 8
def weights_init(m):
    if isinstance(m, nn.Linear):
        nn.init.normal_(m.weight, 0.0, 0.02)
G = nn.Sequential(nn.Linear(nz, 32), nn.BatchNorm1d(32), nn.ReLU(True), nn.Linear(32, 16), nn.Tanh())
D = nn.Sequential(nn.Linear(16, 32), nn.LeakyReLU(0.2, inplace=True), nn.Linear(32, 1), nn.Sigmoid())
G.apply(weights_init); D.apply(weights_init)
criterion = nn.BCELoss()
optD = torch.optim.Adam(D.parameters(), lr=2e-4, betas=(0.5, 0.999))
optG = torch.optim.Adam(G.parameters(), lr=2e-4, betas=(0.5, 0.999))
data = torch.tanh(torch.randn(512, 16) * 0.3 + 0.2)
loader = torch.utils.data.DataLoader(data, batch_size=32, shuffle=True)
fixed_noise = torch.randn(8, nz)
for epoch in range(2):
    for i, real in enumerate(loader):
        D.zero_grad()
        b = real.size(0)
        label = torch.full((b,), 1.0)
        errD_real = criterion(D(real).view(-1), label)
        errD_real.backward()
        noise = torch.randn(b, nz)
        fake = G(noise)
        label.fill_(0.0)
        errD_fake = criterion(D(fake.detach()).view(-1), label)
        errD_fake.backward()
        optD.step()
        G.zero_grad()
        label.fill_(1.0)
        errG = criterion(D(fake).view(-1), label)
        errG.backward()
        optG.step()
        if i % 8 == 0:
            print(epoch, i, errD_real.item() + errD_fake.item(), errG.item())
    with torch.no_grad():
        img = G(fixed_noise).detach().cpu()
