"""WGAN with gradient penalty in the plane: five critic steps to one of the generator."""
import torch
from torch import autograd, nn, optim

torch.manual_seed(1)
DIM, LAMBDA, CRITIC_ITERS, BATCH_SIZE, ITERS = 32, 0.1, 5, 64, 40


def inf_train_gen():
    centres = torch.tensor([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    while True:
        yield centres[torch.randint(4, (BATCH_SIZE,))] + 0.05 * torch.randn(BATCH_SIZE, 2)


def net(a, b):
    return nn.Sequential(nn.Linear(a, DIM), nn.ReLU(True), nn.Linear(DIM, DIM), nn.ReLU(True), nn.Linear(DIM, b))


netG, netD = net(2, 2), net(2, 1)
optimizerD = optim.Adam(netD.parameters(), lr=1e-4, betas=(0.5, 0.9))
optimizerG = optim.Adam(netG.parameters(), lr=1e-4, betas=(0.5, 0.9))


def calc_gradient_penalty(netD, real_data, fake_data):
    alpha = torch.rand(BATCH_SIZE, 1).expand(real_data.size())
    interpolates = alpha * real_data + ((1 - alpha) * fake_data)
    interpolates = interpolates.detach().requires_grad_(True)
    disc = netD(interpolates)
    gradients = autograd.grad(outputs=disc, inputs=interpolates, grad_outputs=torch.ones_like(disc),
                              create_graph=True, retain_graph=True, only_inputs=True)[0]
    return ((gradients.norm(2, dim=1) - 1) ** 2).mean() * LAMBDA


data = inf_train_gen()
for iteration in range(ITERS):
    for p in netD.parameters():
        p.requires_grad = True
    for _ in range(CRITIC_ITERS):
        real = next(data)
        netD.zero_grad()
        D_real = -netD(real).mean()
        D_real.backward()
        with torch.no_grad():
            fake = netG(torch.randn(BATCH_SIZE, 2))
        D_fake = netD(fake).mean()
        D_fake.backward()
        gradient_penalty = calc_gradient_penalty(netD, real, fake)
        gradient_penalty.backward()
        optimizerD.step()
    for p in netD.parameters():
        p.requires_grad = False
    netG.zero_grad()
    G = -netD(netG(torch.randn(BATCH_SIZE, 2))).mean()
    G.backward()
    optimizerG.step()
    if iteration % 10 == 9:
        print(iteration, "wasserstein", (-(D_real + D_fake)).item(), "penalty", gradient_penalty.item())
