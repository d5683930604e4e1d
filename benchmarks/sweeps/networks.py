"""Many copies of one network side by side, one for each learning rate: a convolution with `rates` groups is that many
convolutions, so a whole sweep costs little more than one run. Activations of pictures are (batch, rates * channels,
height, width), of vectors (rates, batch, features); every parameter begins with the axis of rates, copies never mix.
"""

import math
from collections.abc import Callable

import torch
from torch.nn import functional

Tensor = torch.Tensor
Layer = Callable[[Tensor], Tensor]
ACTIVATIONS = {
    "relu": functional.relu,
    "tanh": torch.tanh,
    "elu": functional.elu,
    "gelu": functional.gelu,
    "sigmoid": torch.sigmoid,
}


class Stack:
    """`rates` independent copies of a network; call it with one batch, get (rates, batch, classes)."""

    def __init__(self, rates: int, *, init: str, activation: str, norm: bool, dropout: float, seed: int) -> None:
        self.rates, self.init, self.norm, self.dropout = rates, init, norm, dropout
        self.act = ACTIVATIONS[activation]
        self.rng = torch.Generator().manual_seed(seed)
        self.parameters: list[Tensor] = []
        self.buffers: list[tuple[Tensor, Tensor]] = []
        self.layers: list[Layer] = []
        self.training = True
        self.first = True

    def weight(self, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Tensor:
        """Draw a weight by the rule of initialisation."""
        spread = {"he": math.sqrt(2 / fan_in), "xavier": math.sqrt(2 / (fan_in + fan_out)),
                  "default": math.sqrt(1 / (3 * fan_in)), "large": 2 * math.sqrt(2 / fan_in)}[self.init]  # fmt: skip
        value = torch.randn((self.rates, *shape), generator=self.rng) * spread
        return self.keep(value)

    def keep(self, value: Tensor) -> Tensor:
        """Register a parameter."""
        self.parameters.append(value.requires_grad_())
        return value

    def conv(self, inp: int, out: int, kernel: tuple[int, int], *, stride: int = 1, act: bool = True) -> Layer:
        """A convolution, its normalisation and its activation."""
        w = self.weight((out, inp, *kernel), inp * kernel[0] * kernel[1], out * kernel[0] * kernel[1])
        b = None if self.norm else self.keep(torch.zeros(self.rates, out))
        shared, self.first = self.first, False
        steps = (stride if kernel[0] > 1 or kernel[1] == 1 else 1, stride)
        bn = self.batch_norm(out) if self.norm else None

        def layer(x: Tensor) -> Tensor:
            y = functional.conv2d(x, w.flatten(0, 1), None if b is None else b.flatten(), steps,
                         (kernel[0] // 2, kernel[1] // 2), groups=1 if shared else self.rates)  # fmt: skip
            y = bn(y) if bn else y
            return self.act(y) if act else y

        return layer

    def batch_norm(self, channels: int) -> Layer:
        """Normalise every channel of every copy over the batch."""
        scale, shift = self.keep(torch.ones(self.rates, channels)), self.keep(torch.zeros(self.rates, channels))
        mean, var = torch.zeros(self.rates * channels), torch.ones(self.rates * channels)
        self.buffers.append((mean, var))
        return lambda x: functional.batch_norm(x, mean, var, scale.flatten(), shift.flatten(), self.training, 0.1, 1e-5)

    def linear(self, inp: int, out: int) -> Layer:
        """A dense layer."""
        w, b = self.weight((inp, out), inp, out), self.keep(torch.zeros(self.rates, 1, out))
        return lambda x: torch.matmul(x, w) + b

    def residual(self, inp: int, out: int, kernel: tuple[int, int], stride: int) -> Layer:
        """Two convolutions beside a shortcut."""
        one, two = self.conv(inp, out, kernel, stride=stride), self.conv(out, out, kernel, act=False)
        way = self.conv(inp, out, (1, 1), stride=stride, act=False) if inp != out or stride > 1 else None
        return lambda x: self.act(two(one(x)) + (way(x) if way else x))

    def inception(self, inp: int, out: int) -> Layer:
        """Convolutions of 1 and 3 and a pooled one side by side."""
        part = out // 4
        ways = [self.conv(inp, part, (1, 1)), self.conv(inp, 2 * part, (3, 3)), self.conv(inp, part, (1, 1))]

        def layer(x: Tensor) -> Tensor:
            got = [ways[0](x), ways[1](x), ways[2](functional.avg_pool2d(x, 3, 1, 1))]
            cut = [g.view(len(x), self.rates, -1, *g.shape[2:]) for g in got]
            return torch.cat(cut, 2).flatten(1, 2)

        return layer

    def drop(self, x: Tensor) -> Tensor:
        """Drop units at random while training."""
        return functional.dropout(x, self.dropout, self.training) if self.dropout else x

    def to_vectors(self, x: Tensor) -> Tensor:
        """Turn pictures into vectors."""
        return x.reshape(len(x), self.rates, -1).transpose(0, 1)

    def attention(self, width: int, heads: int) -> Layer:
        """A transformer block."""
        norms = [self.layer_norm(width), self.layer_norm(width)]
        qkv, out = self.linear(width, 3 * width), self.linear(width, width)
        up, down = self.linear(width, 2 * width), self.linear(2 * width, width)

        def layer(x: Tensor) -> Tensor:  # (rates, batch * tokens, width), tokens remembered by the caller
            r, bt, _ = x.shape
            t = self.tokens
            q, k, v = qkv(norms[0](x)).view(r, bt // t, t, 3, heads, width // heads).permute(3, 0, 1, 4, 2, 5)
            mixed = functional.scaled_dot_product_attention(q, k, v).transpose(2, 3).reshape(r, bt, width)
            x = x + out(mixed)
            return x + down(self.drop(functional.gelu(up(norms[1](x)))))

        return layer

    def layer_norm(self, width: int) -> Layer:
        """Normalise every vector."""
        scale, shift = self.keep(torch.ones(self.rates, 1, width)), self.keep(torch.zeros(self.rates, 1, width))
        return lambda x: functional.layer_norm(x, (width,)) * scale + shift

    def recurrent(self, inp: int, width: int) -> Layer:
        """A gated recurrent unit over the rows of a picture."""
        x_gates, h_gates = self.linear(inp, 3 * width), self.linear(width, 3 * width)

        def layer(x: Tensor) -> Tensor:  # (batch, channels, steps, inputs) of one shared batch
            h = x.new_zeros(self.rates, len(x), width)
            for step in range(x.shape[2]):
                gx = x_gates(x[:, 0, step].expand(self.rates, -1, -1)).chunk(3, -1)
                gh = h_gates(h).chunk(3, -1)
                reset, update = torch.sigmoid(gx[0] + gh[0]), torch.sigmoid(gx[1] + gh[1])
                h = (1 - update) * torch.tanh(gx[2] + reset * gh[2]) + update * h
            return h

        return layer

    def __call__(self, x: Tensor) -> Tensor:
        """Send a batch through every copy."""
        for layer in self.layers:
            x = layer(x)
        return x


def build(  # noqa: C901, PLR0912, PLR0915 - one list of kinds, read from top to bottom
    kind: str, shape: tuple[int, int, int], classes: int, stack: Stack, *, width: int, depth: int
) -> Stack:
    """Fill the stack: kind is linear, mlp, plain, residual, inception, vit or gru."""
    c, h, w = shape
    kernel = (3, 3) if h > 1 else (1, 5)
    add = stack.layers.append
    if kind in {"linear", "mlp"}:
        add(lambda x: x.flatten(1).expand(stack.rates, -1, -1))
        size = c * h * w
        for _ in range(depth if kind == "mlp" else 0):
            add(stack.linear(size, width))
            if stack.norm:
                add(stack.layer_norm(width))
            add(stack.act)
            add(stack.drop)
            size = width
    elif kind == "gru":
        add(stack.recurrent(w, width))
        size = width
    elif kind == "vit":
        size, patch = width, 2 if h <= 8 else 3
        stack.tokens = (h // patch) * (w // patch)
        embed = stack.linear(c * patch * patch, width)
        place = stack.keep(torch.randn(stack.rates, stack.tokens, width, generator=stack.rng) * 0.02)
        cut = (h // patch * patch, w // patch * patch)

        def begin(x: Tensor) -> Tensor:
            patches = functional.unfold(x[:, :, : cut[0], : cut[1]], patch, stride=patch).transpose(1, 2)
            tokens = embed(patches.flatten(0, 1).expand(stack.rates, -1, -1))
            return tokens + place.repeat(1, len(x), 1)

        add(begin)
        for _ in range(depth):
            add(stack.attention(width, 2))
        add(lambda x: x.view(stack.rates, -1, stack.tokens, width).mean(2))
    else:
        size = c
        for level in range(depth):
            out = width if level < (depth + 1) // 2 else 2 * width
            shrink = level in {0, (depth + 1) // 2}
            if kind == "residual" and level:
                add(stack.residual(size, out, kernel, 2 if shrink else 1))
            elif kind == "inception" and level:
                add(stack.inception(size, out))
            else:
                add(stack.conv(size, out, kernel))
            if shrink and (kind != "residual" or not level):
                add(lambda x: functional.max_pool2d(x, (2 if x.shape[2] > 1 else 1, 2)))
                h, w = max(h // 2, 1), w // 2
            elif shrink:
                h, w = max((h + 1) // 2, 1), (w + 1) // 2
            size = out
        if kind == "plain" and stack.dropout:
            add(stack.to_vectors)
            add(stack.drop)
            add(stack.linear(size * h * w, 32))
            add(stack.act)
            size = 32
        else:
            add(lambda x: stack.to_vectors(x.mean((2, 3))))
    add(stack.linear(size, classes))
    return stack
