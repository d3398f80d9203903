"""Trains the bundled checkpoint: a 64-64-32-10 perceptron on the UCI handwritten digits (needs torch and scikit-learn).

    python3 train.py          writes model.safetensors and config.json beside this file
"""
import json
import pathlib
import struct

import torch
from sklearn.datasets import load_digits

torch.manual_seed(0)
torch.set_num_threads(1)
images, labels = load_digits(return_X_y=True)
x = torch.tensor(images, dtype=torch.float32) / 16
y = torch.tensor(labels)
order = torch.randperm(len(x))
train, test = order[:1437], order[1437:]
net = torch.nn.Sequential(
    torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10)
)
optimiser = torch.optim.Adam(net.parameters(), 3e-3, weight_decay=1e-5)
for epoch in range(60):
    for batch in train[torch.randperm(len(train))].split(64):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(net(x[batch]), y[batch]).backward()
        optimiser.step()
accuracy = (net(x[test]).argmax(1) == y[test]).float().mean().item()
print(f"test accuracy {accuracy:.4f}")

names = {"0": "hidden.0", "2": "hidden.1", "4": "output"}
tensors = {f"{names[k.split('.')[0]]}.{k.split('.')[1]}": v.detach() for k, v in net.state_dict().items()}
header, data = {}, b""
for name, tensor in tensors.items():
    raw = tensor.contiguous().numpy().tobytes()
    header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
    data += raw
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
here = pathlib.Path(__file__).parent
(here / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
config = {"model_type": "mlp", "layers": [64, 64, 32, 10], "hidden_act": "relu", "test_accuracy": round(accuracy, 4)}
(here / "config.json").write_text(json.dumps(config, indent=2) + "\n")
