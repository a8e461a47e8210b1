"""Lightning with manual optimisation of two networks."""
import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader


class Gan(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.gen = nn.Sequential(nn.Linear(2, 24), nn.ReLU(), nn.Linear(24, 2))
        self.disc = nn.Sequential(nn.Linear(2, 24), nn.LeakyReLU(0.2), nn.Linear(24, 1))

    def training_step(self, real, _):
        og, od = self.optimizers()
        bce = nn.functional.binary_cross_entropy_with_logits
        fake = self.gen(torch.randn_like(real))
        d_loss = bce(self.disc(real), torch.ones(len(real), 1)) + bce(self.disc(fake.detach()), torch.zeros(len(real), 1))
        od.zero_grad()
        self.manual_backward(d_loss)
        od.step()
        g_loss = bce(self.disc(fake), torch.ones(len(real), 1))
        og.zero_grad()
        self.manual_backward(g_loss)
        og.step()
        self.log_dict({"d": d_loss, "g": g_loss})

    def configure_optimizers(self):
        return torch.optim.Adam(self.gen.parameters(), 1e-3), torch.optim.Adam(self.disc.parameters(), 1e-3)


if __name__ == "__main__":
    torch.manual_seed(0)
    points = torch.randn(320, 2) * 0.3 + torch.tensor([2.0, -1.0])
    trainer = L.Trainer(max_epochs=3, accelerator="cpu", logger=False, enable_checkpointing=False,
                        enable_progress_bar=False, enable_model_summary=False, log_every_n_steps=5)
    trainer.fit(Gan(), DataLoader(points, 32, shuffle=True))
    print({k: round(v.item(), 4) for k, v in trainer.callback_metrics.items()})
