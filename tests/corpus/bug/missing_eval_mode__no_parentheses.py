"""Predicción de ocupación hotelera (tabular, BatchNorm y Dropout)."""
import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset


def crear_datos(n, semilla):
    gen = torch.Generator().manual_seed(semilla)
    mes = torch.randint(0, 12, (n,), generator=gen)
    tarifa = torch.rand(n, generator=gen)
    eventos = torch.poisson(torch.ones(n), generator=gen)
    ocupacion = 0.5 + 0.3 * torch.sin(mes / 12 * 6.28) - 0.4 * tarifa + 0.1 * eventos
    x = torch.cat([nn.functional.one_hot(mes, 12).float(), tarifa[:, None], eventos[:, None]], 1)
    return TensorDataset(x, ocupacion[:, None] + 0.02 * torch.randn(n, 1, generator=gen))


class Red(nn.Module):
    def __init__(self):
        super().__init__()
        self.capas = nn.Sequential(
            nn.Linear(14, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.2),
            nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.2),
            nn.Linear(32, 1))

    def forward(self, x):
        return self.capas(x)


def entrenar(red, cargador, opt, criterio):
    red.train()
    for x, y in cargador:
        opt.zero_grad()
        criterio(red(x), y).backward()
        opt.step()


def validar(red, cargador):
    red.eval
    error, n = 0.0, 0
    with torch.no_grad():
        for x, y in cargador:
            error += (red(x) - y).abs().sum().item()
            n += len(y)
    return error / n


if __name__ == '__main__':
    torch.manual_seed(0)
    entreno = DataLoader(crear_datos(1000, 1), batch_size=50, shuffle=True)
    valid = DataLoader(crear_datos(300, 2), batch_size=100)
    red = Red()
    opt = optim.Adam(red.parameters(), lr=3e-3)
    for epoca in range(8):
        entrenar(red, entreno, opt, nn.SmoothL1Loss())
        print(f'época {epoca + 1}: MAE {validar(red, valid):.4f}')
