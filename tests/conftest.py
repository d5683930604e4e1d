"""What every room's tests share: a tiny photo folder, the shared data, golden files, and a cache of their own.

The cache of decoded photos goes to a temporary folder for the whole session, so that tests neither see nor leave
anything in the home folder of whoever runs them.
"""

import os
import pathlib
from collections.abc import Callable, Iterator

import hypothesis
import numpy as np
import pytest

from thalweg.core.process import usable_cores

hypothesis.settings.register_profile("unhurried", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("unhurried")

_REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
_GOLDEN = _REPOSITORY / "tests" / "golden"

PICTURES_A_CLASS = 24
PICTURE_EXTENT = 32


_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_THREADS = min(int(os.environ.get("OMP_NUM_THREADS") or usable_cores()), max(1, usable_cores() // _WORKERS))
os.environ["OMP_NUM_THREADS"] = str(_THREADS)  # before torch is imported; subprocesses see it too
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as every verb does: spinning threads starve a busy machine


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Spread the whole suite over the cores; run chosen files in this process, where a debugger reaches them."""
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return 0
    return min(usable_cores(), 8)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write tests/golden/ anew instead of comparing")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THALWEG_CACHE", str(tmp_path_factory.mktemp("thalweg-cache")))
        yield


@pytest.fixture(scope="session")
def shared_data() -> pathlib.Path:
    """The folder of real data beside the repository; tests that want it are skipped where it is not."""
    folder = _REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no shared/data folder beside the repository")
    return folder


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Two classes of 24 pictures, 32x32: reddish or bluish, on patterns that no two pictures share.

    The hue alone tells the classes apart, so a few steps of training are enough; the patterns differ, so a search for
    near duplicates finds none. Shared by the whole session: read it, never write into it.
    """
    from PIL import Image

    folder = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(42)
    for name, strong in (("blue", 2), ("red", 0)):
        (folder / name).mkdir()
        for index in range(PICTURES_A_CLASS):
            pattern = np.kron(random.integers(60, 180, (8, 8)), np.ones((PICTURE_EXTENT // 8,) * 2))
            picture = pattern[..., None] * np.full(3, 0.5)
            picture[..., strong] += 70
            picture += random.normal(0, 8, picture.shape)
            pixels = picture.clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{name}-{index:02d}.png")
    return folder


STREET_CLASSES = ("sky", "road", "car")


def street_scene(random: np.random.Generator, extent: int = PICTURE_EXTENT) -> tuple[np.ndarray, np.ndarray]:
    """A picture and its mask: sky over a road with two cars, and two rows of void (255) at the bottom."""
    horizon = int(random.integers(extent // 3, extent // 2))
    mask = np.ones((extent, extent), np.uint8)
    mask[:horizon] = 0
    for _ in range(2):
        left, top = int(random.integers(0, extent - 10)), int(random.integers(horizon - 2, extent - 9))
        mask[top : top + 6, left : left + 9] = 2
    picture = np.array([(120, 160, 230), (90, 90, 90), (200, 40, 40)])[mask] + random.normal(0, 12, (*mask.shape, 3))
    mask[-2:] = 255
    return picture.clip(0, 255).astype(np.uint8), mask


@pytest.fixture(scope="session")
def street_folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Street scenes with masks, 32x32: 16 to train on, 6 to validate, 6 to test, in two folders a part.

    Shared by the whole session: read it, never write into it.
    """
    from PIL import Image

    folder = tmp_path_factory.mktemp("street")
    random = np.random.default_rng(7)
    for part, count in (("train", 16), ("val", 6), ("test", 6)):
        for kind in ("images", "masks"):
            (folder / part / kind).mkdir(parents=True)
        for index in range(count):
            picture, mask = street_scene(random)
            Image.fromarray(picture).save(folder / part / "images" / f"{index:02d}.png")
            Image.fromarray(mask).save(folder / part / "masks" / f"{index:02d}.png")
    (folder / "classes.csv").write_text("id,name,r,g,b\n0,sky,120,160,230\n1,road,90,90,90\n2,car,200,40,40\n")
    return folder


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare text with `tests/golden/NAME`; with `--update-golden` the file is written instead."""

    def check(name: str, text: str) -> None:
        path = _GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
            return
        assert path.is_file(), f"tests/golden/{name} does not exist; write it with pytest --update-golden"
        assert text == path.read_text(encoding="utf-8"), f"differs from tests/golden/{name}; see pytest --update-golden"

    return check
