"""Training steps in PyTorch; prints the median seconds of a step. Arguments: mlp or decoder, steps, threads."""
import math
import sys
import time

import torch

name, steps, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)
torch.manual_seed(0)


def normal(*shape):
    return (torch.randn(*shape) * 0.05).requires_grad_()


def gelu(v):
    return torch.nn.functional.gelu(v, approximate="tanh")


def mlp():
    x, y = torch.randn(512, 256) * 0.05, torch.randn(512, 10) * 0.05
    params = [normal(256, 1024), normal(1024), normal(1024, 10), normal(10)]

    def loss():
        return ((gelu(x @ params[0] + params[1]) @ params[2] + params[3] - y) ** 2).mean()

    return params, loss


def decoder(layers=4, batch=8, length=128, width=256, heads=8, inner=1024):
    size = width // heads
    blocks = [
        dict(n1=normal(width), q=normal(width, width), k=normal(width, width), v=normal(width, width), o=normal(width, width),
             n2=normal(width), up=normal(width, inner), down=normal(inner, width))
        for _ in range(layers)
    ]
    x0 = torch.randn(batch, length, width) * 0.05
    mask = torch.triu(torch.full((length, length), -1e9), 1)

    def norm(x, scale):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * scale

    def split(y):
        return y.view(batch, length, heads, size).transpose(1, 2)

    def loss():
        x = x0
        for p in blocks:
            h = norm(x, p["n1"])
            q, k, v = split(h @ p["q"]), split(h @ p["k"]), split(h @ p["v"])
            a = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(size) + mask, -1)
            x = x + (a @ v).transpose(1, 2).reshape(batch, length, width) @ p["o"]
            x = x + gelu(norm(x, p["n2"]) @ p["up"]) @ p["down"]
        return (x * x).mean()

    return [t for p in blocks for t in p.values()], loss


params, loss = {"mlp": mlp, "decoder": decoder}[name]()
for _ in range(5):
    torch.autograd.grad(loss(), params)
times = []
for _ in range(steps):
    started = time.perf_counter()
    torch.autograd.grad(loss(), params)
    times.append(time.perf_counter() - started)
print(sorted(times)[len(times) // 2], torch.__version__)
