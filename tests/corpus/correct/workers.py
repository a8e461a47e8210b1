import torch, torch.nn as nn
from torch.utils.data import Dataset, DataLoader
class Sq(Dataset):
    def __init__(self, n): self.x = torch.linspace(-2, 2, n)
    def __len__(self): return len(self.x)
    def __getitem__(self, i): return {"x": self.x[i:i+1], "y": self.x[i:i+1] ** 2}
def main():
    torch.manual_seed(0)
    dl = DataLoader(Sq(128), batch_size=32, shuffle=True, num_workers=1, persistent_workers=True)
    m = nn.Sequential(nn.Linear(1, 16), nn.ReLU(), nn.Linear(16, 1)); o = torch.optim.RMSprop(m.parameters(), 1e-3)
    for e in range(2):
        for b in dl:
            o.zero_grad(); l = nn.functional.mse_loss(m(b["x"]), b["y"]); l.backward(); o.step()
        print(e, l.item())
if __name__ == "__main__": main()
