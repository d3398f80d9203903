"""LexRank with threshold in dense numpy: the peer of lexrank.js in this folder.

Reads JSON lines: first the sentences, answered by null; then any line, answered by the seconds that scoring took and the scores.
"""

import json
import re
import sys
import time

import numpy as np

WORD = re.compile(r"[^\W_]+(?:['\u2010-][^\W_]+|(?<=\d)[.,]\d[^\W_]*)*")


def score(sentences, threshold=0.1, teleport=0.15, tolerance=1e-10):
    words = [WORD.findall(sentence.lower()) for sentence in sentences]
    number = {}
    for sentence in words:
        for word in sentence:
            number.setdefault(word, len(number))
    n = len(sentences)
    tf = np.zeros((n, len(number)))
    rows = np.repeat(np.arange(n), [len(sentence) for sentence in words])
    columns = np.array([number[word] for sentence in words for word in sentence])
    np.add.at(tf, (rows, columns), 1)
    x = tf * np.log((n + 1) / ((tf > 0).sum(axis=0) + 1))
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    x /= np.where(norms == 0, 1, norms)
    c = x @ x.T
    np.fill_diagonal(c, 1)
    a = (c > threshold).astype(float)
    degree = a.sum(axis=1)
    p = np.full(n, 1 / n)
    while True:
        following = teleport / n + (1 - teleport) * (a @ (p / degree))
        change = np.abs(following - p).sum()
        p = following
        if change < tolerance:
            return p / p.max()


sentences = json.loads(sys.stdin.readline())
print("null", flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    scores = score(sentences)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "scores": scores.tolist()}), flush=True)
