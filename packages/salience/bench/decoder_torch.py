"""A decoder of bard's shape in PyTorch; prints the median seconds of a call. Arguments: forward or step, calls, threads."""
import sys
import time

import torch
from torch.nn.functional import cross_entropy, embedding, linear, silu

name, calls, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)
torch.manual_seed(0)
batch, length, vocabulary, width, layers, heads, groups, size, hidden = 8, 256, 1024, 192, 6, 6, 2, 32, 512


def normal(*shape):
    return (torch.randn(*shape) * 0.02).requires_grad_()


def ones():
    return torch.ones(width).requires_grad_()


table, head, last = normal(vocabulary, width), normal(vocabulary, width), ones()
blocks = [
    dict(n1=ones(), q=normal(heads * size, width), k=normal(groups * size, width), v=normal(groups * size, width),
         o=normal(width, heads * size), n2=ones(), gate=normal(hidden, width), up=normal(hidden, width),
         down=normal(width, hidden))
    for _ in range(layers)
]
parameters = [table, head, last] + [t for block in blocks for t in block.values()]
tokens = torch.randint(0, vocabulary, (batch, length))
angles = torch.outer(torch.arange(length).float(), 10000.0 ** (-torch.arange(0, size, 2).float() / size))
cos, sin = torch.cat([angles.cos()] * 2, -1), torch.cat([angles.sin()] * 2, -1)
mask = torch.triu(torch.full((length, length), -1e30), 1)


def norm(x, scale):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * scale


def turn(x):
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat([-second, first], -1) * sin


def split(y, count):
    return y.view(batch, length, count, size).transpose(1, 2)


def forward():
    x = embedding(tokens, table)
    for p in blocks:
        h = norm(x, p["n1"])
        q, k, v = turn(split(linear(h, p["q"]), heads)), turn(split(linear(h, p["k"]), groups)), split(linear(h, p["v"]), groups)
        k, v = k.repeat_interleave(heads // groups, 1), v.repeat_interleave(heads // groups, 1)
        a = torch.softmax(q @ k.transpose(-1, -2) * size**-0.5 + mask, -1)
        x = x + linear((a @ v).transpose(1, 2).reshape(batch, length, heads * size), p["o"])
        h = norm(x, p["n2"])
        x = x + linear(silu(linear(h, p["gate"])) * linear(h, p["up"]), p["down"])
    return linear(norm(x, last), head)


optimiser = torch.optim.AdamW(parameters, lr=1e-4, weight_decay=0.01)


def step():
    optimiser.zero_grad(set_to_none=True)
    logits = forward()
    cross_entropy(logits[:, :-1].reshape(-1, vocabulary), tokens[:, 1:].reshape(-1)).backward()
    optimiser.step()


def reading():
    with torch.no_grad():
        forward()


call = {"forward": reading, "step": step}[name]
for _ in range(3):
    call()
times = []
for _ in range(calls):
    started = time.perf_counter()
    call()
    times.append(time.perf_counter() - started)
print(sorted(times)[len(times) // 2], torch.__version__)
