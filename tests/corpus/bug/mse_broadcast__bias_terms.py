"""Factorización de matrices con sesgos (películas y usuarios)."""
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(33)
N_USUARIOS, N_PELIS, DIM = 80, 60, 6


class Factorizacion(nn.Module):
    def __init__(self):
        super().__init__()
        self.usuario = nn.Embedding(N_USUARIOS, DIM)
        self.peli = nn.Embedding(N_PELIS, DIM)
        self.sesgo_u = nn.Embedding(N_USUARIOS, 1)
        self.sesgo_p = nn.Embedding(N_PELIS, 1)
        self.media = nn.Parameter(torch.tensor(3.0))
        for capa in (self.usuario, self.peli, self.sesgo_u, self.sesgo_p):
            nn.init.normal_(capa.weight, std=0.1)

    def forward(self, u, p):
        producto = (self.usuario(u) * self.peli(p)).sum(1, keepdim=True)
        return producto + self.sesgo_u(u) + self.sesgo_p(p) + self.media


gusto, genero = torch.randn(N_USUARIOS, 2), torch.randn(N_PELIS, 2)
u = torch.randint(N_USUARIOS, (3000,))
p = torch.randint(N_PELIS, (3000,))
nota = (3 + (gusto[u] * genero[p]).sum(1) + 0.3 * torch.randn(3000)).clamp(1, 5)

datos = TensorDataset(u, p, nota)
entreno, prueba = torch.utils.data.random_split(datos, [2400, 600])
cargador = DataLoader(entreno, batch_size=60, shuffle=True)
modelo = Factorizacion()
optimizador = torch.optim.Adam(modelo.parameters(), lr=0.02)


def error_cuadratico(prediccion, objetivo):
    return ((prediccion - objetivo) ** 2).mean()


for epoca in range(6):
    acumulado = 0.0
    for uu, pp, r in cargador:
        perdida = error_cuadratico(modelo(uu, pp), r)
        optimizador.zero_grad()
        perdida.backward()
        optimizador.step()
        acumulado += perdida.item()
    with torch.no_grad():
        uu, pp, r = map(torch.stack, zip(*prueba))
        rmse = (modelo(uu, pp).flatten() - r).pow(2).mean().sqrt().item()
    print(f"época {epoca}: pérdida {acumulado / len(cargador):.4f}, RMSE de prueba {rmse:.4f}")
