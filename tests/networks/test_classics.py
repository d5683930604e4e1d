"""Classical networks written layer by layer, held against the numbers of their papers and tables."""

from thalweg.accounting.ledger import count, receptive_fields
from thalweg.networks.functional import Input, Network
from thalweg.networks.layers import (
    BatchNorm,
    ChannelShuffle,
    Concatenate,
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    Crop,
    Dense,
    Flatten,
    GlobalAvgPool,
    LocalResponseNorm,
    MaxPool2d,
    Pad,
    PReLU,
    ReLU,
    Tanh,
)
from thalweg.networks.sequential import Sequential

C3 = [
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5), (0, 1, 2, 3, 4, 5)),
]
"""Which maps of S2 each map of C3 reads (LeCun et al. 1998, table I)."""


def test_the_sparse_c3_of_lenet_has_1516_weights():
    x = Input(1, 32, 32)
    s2 = MaxPool2d(2)(Tanh()(Conv2d(6, 5)(x)))
    maps = [Crop(channels=(place, 5 - place))(s2) for place in range(6)]
    c3 = Concatenate()(*(Conv2d(1, 5)(Concatenate()(*(maps[place] for place in read))) for read in C3))
    c5 = Conv2d(120, 5)(MaxPool2d(2)(c3))
    ledger = count(Network(x, Dense(84)(Flatten()(c5)), name="lenet-5"))
    single = [row for row in ledger.rows if row.kind == "conv2d" and row.output_shape.channels == 1]
    assert sum(row.parameters for row in single) == 1_516
    assert ledger.parameters == 156 + 1_516 + 48_120 + 10_164
    assert sum(row.macs for row in single) == 150_000


def test_alexnet_in_two_groups():
    layers = [Input(3, 227, 227), Conv2d(96, 11, 4), ReLU(), LocalResponseNorm(5, k=2.0), MaxPool2d(3, 2)]
    layers += [Conv2d(256, 5, padding=2, groups=2), ReLU(), LocalResponseNorm(5, k=2.0), MaxPool2d(3, 2)]
    layers += [Conv2d(384, 3, padding=1), ReLU(), Conv2d(384, 3, padding=1, groups=2), ReLU()]
    layers += [Conv2d(256, 3, padding=1, groups=2), ReLU(), MaxPool2d(3, 2)]
    layers += [Flatten(), Dense(4096), ReLU(), Dense(4096), ReLU(), Dense(1000)]
    ledger = count(Sequential(layers, name="alexnet"))
    last = next(row for row in ledger.rows if row.name == "max_pool3")
    assert (ledger.parameters, ledger.macs) == (60_965_224, 724_406_816)
    assert (last.receptive_field, last.stride) == ((195, 195), (32, 32))


def test_the_first_u_net_loses_its_borders():
    y = x = Input(1, 572, 572)
    skips = []
    for width in (64, 128, 256, 512):
        y = ReLU()(Conv2d(width, 3)(ReLU()(Conv2d(width, 3)(y))))
        skips.append(y)
        y = MaxPool2d(2)(y)
    y = ReLU()(Conv2d(1024, 3)(ReLU()(Conv2d(1024, 3)(y))))
    for width, border in ((512, 4), (256, 16), (128, 40), (64, 88)):
        y = Concatenate()(Crop(border)(skips.pop()), ConvTranspose2d(width, 2, 2)(y))
        y = ReLU()(Conv2d(width, 3)(ReLU()(Conv2d(width, 3)(y))))
    ledger = count(Network(x, Conv2d(2, 1)(y), name="u-net"))
    assert str(ledger.rows[-1].output_shape) == "2x388x388"
    assert ledger.parameters == 31_030_658
    # Most outputs see 188 positions, as is often told; those whose window meets one cell more of the deepest level 204.
    ends = receptive_fields(Network(x, Conv2d(2, 1)(y)))["conv19"][0].ends
    assert {last - first + 1 for first, last in ends} == {188, 204}
    assert ledger.rows[-1].receptive_field == (204, 204)


def _separate(y, width, stride):
    y = BatchNorm()(Conv2d(width, 3, stride, padding=1, groups=width, bias=False)(y))
    return ReLU()(BatchNorm()(Conv2d(width, 1, bias=False)(y)))


def test_shufflenet_v2_is_torchvisions():
    x = Input(3, 224, 224)
    y = MaxPool2d(3, 2, padding=1)(ReLU()(BatchNorm()(Conv2d(24, 3, 2, padding=1, bias=False)(x))))
    before = 24
    for repeats, channels in ((4, 116), (8, 232), (4, 464)):
        half = channels // 2
        for place in range(repeats):
            if place:
                left, right = Crop(channels=(0, half))(y), Crop(channels=(half, 0))(y)
            else:
                left = BatchNorm()(Conv2d(before, 3, 2, padding=1, groups=before, bias=False)(y))
                left, right = ReLU()(BatchNorm()(Conv2d(half, 1, bias=False)(left))), y
            right = ReLU()(BatchNorm()(Conv2d(half, 1, bias=False)(right)))
            y = ChannelShuffle(2)(Concatenate()(left, _separate(right, half, 1 if place else 2)))
        before = channels
    y = ReLU()(BatchNorm()(Conv2d(1024, 1, bias=False)(y)))
    ledger = count(Network(x, Dense(1000)(GlobalAvgPool()(y)), name="shufflenet"))
    assert (ledger.parameters, round(ledger.macs / 1e9, 3)) == (2_278_604, 0.145)


def test_three_stacks_of_wavenet_see_3070_samples():
    layers = [Input(1, 4000)]
    for _ in range(3):
        for power in range(10):
            layers += [Pad(((2**power, 0),)), Conv1d(8, 2, dilation=2**power), PReLU(8)]
    ledger = count(Sequential(layers, name="wavenet"))
    assert (ledger.rows[-1].receptive_field, ledger.rows[-1].output_shape.extents) == ((3_070,), (4_000,))
    assert ledger.parameters == (2 + 1) * 8 + 29 * (2 * 8 + 1) * 8 + 30 * 8
