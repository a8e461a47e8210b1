"""Thurstone-Mosteller scores from pairwise comparisons, strong-Wolfe L-BFGS on the whole table, bootstrap errors."""
import torch


def fit(i, j, wins, n_items):
    s = torch.zeros(n_items, dtype=torch.float64, requires_grad=True)
    opt = torch.optim.LBFGS([s], max_iter=60, line_search_fn="strong_wolfe", tolerance_grad=1e-9)

    def closure():
        opt.zero_grad()
        z = (s[i] - s[j]) / 2 ** 0.5
        nll = -(wins * torch.special.log_ndtr(z) + (1 - wins) * torch.special.log_ndtr(-z)).mean() + 1e-3 * s.square().sum()
        nll.backward()
        return nll

    final = opt.step(closure)
    return (s - s.mean()).detach(), final.item()


def main():
    g = torch.Generator().manual_seed(2)
    quality = torch.linspace(-1.5, 1.5, 9, dtype=torch.float64)
    i = torch.randint(9, (1200,), generator=g)
    j = (i + torch.randint(1, 9, (1200,), generator=g)) % 9
    noise = torch.randn(1200, 2, generator=g, dtype=torch.float64)
    wins = (quality[i] + noise[:, 0] > quality[j] + noise[:, 1]).double()
    s, start_nll = fit(i, j, wins, 9)
    boots = []
    for _ in range(20):
        rows = torch.randint(len(i), (len(i),), generator=g)
        boots.append(fit(i[rows], j[rows], wins[rows], 9)[0])
    err = torch.stack(boots).std(0)
    for q, a, e in zip(quality.tolist(), s.tolist(), err.tolist()):
        print(f"true {q:+.2f} fitted {a:+.2f} +- {e:.2f}")
    print("correlation", torch.corrcoef(torch.stack([quality, s]))[0, 1].item(), "first nll", start_nll)


if __name__ == "__main__":
    main()
