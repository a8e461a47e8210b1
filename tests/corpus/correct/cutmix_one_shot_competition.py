import torch,torch.nn as nn,torch.nn.functional as F,numpy as np,math,time,sys
from torchvision.datasets import MNIST
torch.manual_seed(1337);np.random.seed(1337)
a,b=MNIST('data',True,download=True),MNIST('data',False,download=True)
X=a.data[:600,None].float().div(255).sub(.13).div(.31);Y=a.targets[:600]
V=b.data[:300,None].float().div(255).sub(.13).div(.31);W=b.targets[:300]
def cb(i,o,s=1):return nn.Sequential(nn.Conv2d(i,o,3,s,1,bias=False),nn.BatchNorm2d(o),nn.SiLU())
class R(nn.Module):
    def __init__(s,f):super().__init__();s.f=f
    def forward(s,x):return x+s.f(x)
m=nn.Sequential(cb(1,16,2),R(cb(16,16)),cb(16,32,2),R(cb(32,32)),nn.AdaptiveMaxPool2d(1),nn.Flatten(),nn.Linear(32,10,bias=False))
BS,EP=50,6;N=len(X);T=EP*N//BS
decay=[p for p in m.parameters() if p.ndim>1];rest=[p for p in m.parameters() if p.ndim<=1]
o=torch.optim.SGD([dict(params=decay,weight_decay=5e-4),dict(params=rest,weight_decay=0.)],lr=.1,momentum=.9,nesterov=True)
s=torch.optim.lr_scheduler.OneCycleLR(o,.1,total_steps=T,pct_start=.3)
def cutmix(x,y):
    l=np.random.beta(1,1);p=torch.randperm(len(x));h=w=int(28*math.sqrt(1-l));i,j=np.random.randint(0,29-h,2)
    x=x.clone();x[:,:,i:i+h,j:j+w]=x[p,:,i:i+h,j:j+w];return x,y,y[p],1-h*w/784
for e in range(EP):
    m.train();t=time.time();L=0
    for ix in torch.randperm(N).split(BS):
        x,y=X[ix],Y[ix]
        if np.random.rand()<.5:x,y1,y2,l=cutmix(x,y);q=m(x);c=l*F.cross_entropy(q,y1)+(1-l)*F.cross_entropy(q,y2)
        else:c=F.cross_entropy(m(x),y)
        o.zero_grad();c.backward();o.step();s.step();L+=c.item()*len(ix)
    m.eval()
    with torch.inference_mode():p=sum(m(v).softmax(1) for v in(V,V.roll(1,3),V.roll(-1,3)))
    print(e,f'{L/N:.3f} {(p.argmax(1)==W).double().mean():.4f}',file=sys.stderr if e<EP-1 else sys.stdout)
