"""Bayes by Backprop mit deutschem Namensraum: Gewichte als Verteilungen, KL anteilig je Stapel."""
import torch
from torch import nn
from torch.nn import functional as F


class BayesSchicht(nn.Module):
    def __init__(self, ein, aus):
        super().__init__()
        self.mittel = nn.Parameter(torch.empty(aus, ein).normal_(0, ein ** -0.5))
        self.rho = nn.Parameter(torch.full((aus, ein), -5.0))
        self.versatz = nn.Parameter(torch.zeros(aus))

    @property
    def streuung(self):
        return F.softplus(self.rho)

    def forward(self, x):
        # lokale Umparametrisierung: Rauschen auf den Ausgaben statt auf den Gewichten
        erwartung = F.linear(x, self.mittel, self.versatz)
        varianz = F.linear(x ** 2, self.streuung ** 2)
        return erwartung + (varianz + 1e-10).sqrt() * torch.randn_like(erwartung)

    def kl(self, prior=0.5):
        s = self.streuung
        return (torch.log(prior / s) + (s ** 2 + self.mittel ** 2) / (2 * prior ** 2) - 0.5).sum()


class BayesNetz(nn.Module):
    def __init__(self, *breiten):
        super().__init__()
        self.schichten = nn.ModuleList(BayesSchicht(a, b) for a, b in zip(breiten, breiten[1:]))

    def forward(self, x):
        *verdeckt, letzte = self.schichten
        for s in verdeckt:
            x = torch.relu(s(x))
        return letzte(x)

    def kl(self):
        return sum(s.kl() for s in self.schichten)


def vorhersage(netz, x, zuege=20):
    with torch.no_grad():
        p = torch.stack([netz(x).softmax(-1) for _ in range(zuege)])
    return p.mean(0)


def haupt():
    torch.manual_seed(99)
    x = torch.rand(1100, 2) * 4 - 2
    y = ((x[:, 0] * 2).sin() > x[:, 1]).long()
    lern, pruef = slice(0, 900), slice(900, None)
    netz = BayesNetz(2, 48, 48, 2)
    verfahren = torch.optim.Adam(netz.parameters(), lr=1e-2)
    stapel = 90
    for runde in range(10):
        summe = 0.0
        for teil in torch.randperm(900).split(stapel):
            verfahren.zero_grad()
            verlust = F.cross_entropy(netz(x[teil]), y[teil]) + netz.kl() / 900
            verlust.backward()
            verfahren.step()
            summe += verlust.item()
        p = vorhersage(netz, x[pruef])
        print(f"Runde {runde}: ELBO-Verlust {summe / 10:.3f}, Genauigkeit {(p.argmax(1) == y[pruef]).float().mean():.3f}")


haupt()
