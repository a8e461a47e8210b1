"""Learning to rank with ListNet: soft targets over the documents of a query; NDCG in evaluation."""
import torch
from torch import Tensor, nn


class Scorer(nn.Module):
    def __init__(self, d: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(d, 32), nn.ReLU(), nn.Dropout(0.05), nn.Linear(32, 1))

    def forward(self, docs: Tensor) -> Tensor:
        return self.mlp(docs).squeeze(-1)


def listnet(scores: Tensor, grades: Tensor) -> Tensor:
    return -(grades.softmax(-1) * scores.log_softmax(-1)).sum(-1).mean()


def ndcg(scores: Tensor, grades: Tensor, k: int = 5) -> Tensor:
    discount = 1 / torch.log2(torch.arange(2, k + 2).float())
    gain = (2 ** grades.gather(1, scores.argsort(1, descending=True)[:, :k]) - 1) @ discount
    ideal = (2 ** grades.sort(1, descending=True).values[:, :k] - 1) @ discount
    return gain / ideal.clamp_min(1e-9)


def queries(n: int, w: Tensor):
    docs = torch.randn(n, 12, w.numel())
    rel = (docs @ w + (docs[..., 0] * docs[..., 1]) + 0.3 * torch.randn(n, 12)).div(2).round().clamp(0, 4)
    return docs, rel


def main() -> None:
    w = torch.randn(8)
    (tx, ty), (vx, vy) = queries(500, w), queries(150, w)
    model = Scorer(8)
    opt = torch.optim.RMSprop(model.parameters(), lr=2e-3)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, mode="max", factor=0.5, patience=2)
    for epoch in range(12):
        model.train()
        for q in torch.randperm(500).split(25):
            opt.zero_grad()
            listnet(model(tx[q]), ty[q]).backward()
            opt.step()
        model.eval()
        with torch.no_grad():
            value = ndcg(model(vx), vy).mean().item()
        plateau.step(value)
        print(f"epoch {epoch} ndcg@5 {value:.4f} lr {opt.param_groups[0]['lr']:.1e}")


main()
