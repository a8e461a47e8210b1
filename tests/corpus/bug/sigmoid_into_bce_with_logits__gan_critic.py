from torch import nn
import torch, math

# GAN on a spiral; architecture from one tutorial, the loss from another one

latent_dim, n_epochs, batch_size = 6, 6, 64


class Generator(nn.Module):
    def __init__(self):
        super(Generator, self).__init__()

        def block(in_feat, out_feat, normalize=True):
            layers = [nn.Linear(in_feat, out_feat)]
            if normalize:
                layers.append(nn.BatchNorm1d(out_feat, 0.8))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            return layers

        self.model = nn.Sequential(*block(latent_dim, 32, normalize=False), *block(32, 64), nn.Linear(64, 2))

    def forward(self, z):
        return self.model(z)


class Discriminator(nn.Module):
    def __init__(self):
        super(Discriminator, self).__init__()
        self.model = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2, inplace=True), nn.Linear(64, 1), nn.Sigmoid())

    def forward(self, x):
        return self.model(x)


torch.manual_seed(0)
t = torch.rand(1280) * 3 * math.pi
data = torch.stack([t * t.cos(), t * t.sin()], 1) / 5 + 0.03 * torch.randn(1280, 2)
dataloader = torch.utils.data.DataLoader(data, batch_size=batch_size, shuffle=True)
generator, discriminator = Generator(), Discriminator()
adversarial_loss = torch.nn.BCEWithLogitsLoss()
optimizer_G = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.999))

for epoch in range(n_epochs):
    for i, pts in enumerate(dataloader):
        valid = torch.ones(pts.size(0), 1)
        fake = torch.zeros(pts.size(0), 1)

        optimizer_G.zero_grad()
        gen = generator(torch.randn(pts.size(0), latent_dim))
        g_loss = adversarial_loss(discriminator(gen), valid)
        g_loss.backward()
        optimizer_G.step()

        optimizer_D.zero_grad()
        real_loss = adversarial_loss(discriminator(pts), valid)
        fake_loss = adversarial_loss(discriminator(gen.detach()), fake)
        d_loss = (real_loss + fake_loss) / 2
        d_loss.backward()
        optimizer_D.step()
    print("[Epoch %d/%d] [D loss: %f] [G loss: %f]" % (epoch, n_epochs, d_loss.item(), g_loss.item()))
