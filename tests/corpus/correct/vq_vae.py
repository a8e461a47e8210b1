import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision
from torch.utils.data import DataLoader, Subset
from torchvision import transforms


class VectorQuantizer(nn.Module):
    def __init__(self, num_embeddings, embedding_dim, commitment_cost):
        super().__init__()
        self._embedding = nn.Embedding(num_embeddings, embedding_dim)
        self._embedding.weight.data.uniform_(-1 / num_embeddings, 1 / num_embeddings)
        self._commitment_cost = commitment_cost

    def forward(self, inputs):
        inputs = inputs.permute(0, 2, 3, 1).contiguous()
        flat = inputs.view(-1, inputs.shape[-1])
        distances = torch.cdist(flat, self._embedding.weight)
        indices = distances.argmin(1)
        quantized = self._embedding(indices).view(inputs.shape)
        e_latent_loss = F.mse_loss(quantized.detach(), inputs)
        q_latent_loss = F.mse_loss(quantized, inputs.detach())
        loss = q_latent_loss + self._commitment_cost * e_latent_loss
        quantized = inputs + (quantized - inputs).detach()  # straight through
        probs = torch.bincount(indices, minlength=self._embedding.num_embeddings).float() / len(indices)
        perplexity = torch.exp(-torch.sum(probs * torch.log(probs + 1e-10)))
        return loss, quantized.permute(0, 3, 1, 2).contiguous(), perplexity


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, 8, 1)
        )
        self.vq = VectorQuantizer(32, 8, 0.25)
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(8, 32, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(32, 1, 4, 2, 1)
        )

    def forward(self, x):
        loss, z, perplexity = self.vq(self.encoder(x))
        return loss, self.decoder(z), perplexity


tf = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (1.0,))])
data = torchvision.datasets.FashionMNIST("data", train=True, download=True, transform=tf)
data = Subset(data, range(min(len(data), 1000)))
training_loader = DataLoader(data, batch_size=50, shuffle=True, drop_last=True)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
model = Model().to(device)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, amsgrad=False)
model.train()
for epoch in range(3):
    for i, (x, _) in enumerate(training_loader):
        x = x.to(device)
        optimizer.zero_grad()
        vq_loss, recon, perplexity = model(x)
        recon_error = F.mse_loss(recon, x)
        loss = recon_error + vq_loss
        loss.backward()
        optimizer.step()
        if (i + 1) % 10 == 0:
            print(f"{epoch + 1}:{i + 1} recon_error {recon_error.item():.4f} perplexity {perplexity.item():.2f}")
