"""Kinds of files that people have and that are not read here, each with what to do about it.

Known by their endings. Nothing is opened: pickles and what holds them could run code.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["UNREAD_PICTURES", "unread_kind"]

# fmt: off
UNREAD_PICTURES = (
    "heic", "heif", "svg", "svgz", "jxl", "psd", "xcf", "ai", "eps", "exr", "hdr", "jxr", "wdp", "djvu",
    "cr2", "cr3", "nef", "arw", "orf", "rw2", "raf", "dng",
)
_ARRAYS = (
    "mat", "h5", "hdf5", "he5", "hdf", "nc", "zarr", "parquet", "arrow", "feather", "tfrecord", "tfrecords", "tfrec",
    "beton", "lmdb", "mdb", "rds", "rdata",
)
_PICKLES = ("pkl", "pickle", "p", "joblib", "dill", "pt", "pth", "ckpt", "sav")
_SOUNDS = ("mp3", "flac", "ogg", "oga", "opus", "m4a", "aac", "wma", "aif", "aiff", "amr")
_FILMS = ("mp4", "avi", "mov", "mkv", "webm", "wmv", "mpg", "mpeg", "m4v", "3gp")
# fmt: on

_REASONS: Mapping[str, str] = MappingProxyType({
    **{each: f"pictures of the kind .{each} are not read; save it as JPEG or PNG" for each in UNREAD_PICTURES},
    **{
        each: f"files of the kind .{each} are not read; save samples and labels by numpy.savez('data.npz', x=x, y=y), "
        f"or pictures as PNG files in one folder a class"
        for each in _ARRAYS
    },
    **{
        each: f"files of the kind .{each} are not loaded, since that could run code; save samples and labels by "
        f"numpy.savez('data.npz', x=x, y=y)"
        for each in _PICKLES
    },
    **{
        each: f"sounds of the kind .{each} are not read; save them as .wav (ffmpeg -i a.{each} a.wav)"
        for each in _SOUNDS
    },
    **{
        each: f"films (.{each}) are not read; save the frames of each into a folder of its own (ffmpeg -i a.{each} "
        f"a/%04d.jpg)"
        for each in _FILMS
    },
    **{
        each: f"DICOM files (.{each}) are not read; save single ones as PNG, and series as .nii.gz (dcm2niix)"
        for each in ("dcm", "dicom", "ima")
    },
    **{
        each: f"recordings of the kind .{each} are not read; save each as .npy (steps, channels) in one folder a "
        f"class, or all by numpy.savez('data.npz', x=x, y=y, patient=patient)"
        for each in ("edf", "bdf", "gdf", "fif", "vhdr", "hea", "atr", "cnt")
    },
    **{
        each: f"volumes of the kind .{each} are not read; save each as .nii.gz or .npy in one folder a class"
        for each in ("nrrd", "nhdr", "mha", "mhd", "mgz", "mgh", "vtk", "vti", "czi", "lif", "nd2", "svs")
    },
    **{
        each: f"shapes of the kind .{each} are not read; save each as a volume of voxels (.npy) in one folder a class"
        for each in ("off", "obj", "ply", "stl", "glb", "pcd", "las")
    },
    **{each: f"tables of the kind .{each} are not read; save it as CSV" for each in ("xlsx", "xls", "ods")},
    **{
        each: f"tables of the kind .{each} (databases) are not read; save it as CSV"
        for each in ("db", "sqlite", "sqlite3")
    },
})


_SHARD = re.compile(r"-\d+-of-\d+$")  # x.tfrecord-00000-of-00002


def unread_kind(name: str) -> str:
    """Say of a file why it is not read, where its kind is known.

    Args:
        name: Its name.

    Returns:
        The reason with a way out; empty for every other file.

    Example:
        >>> unread_kind("IMG_1.HEIC")
        'pictures of the kind .heic are not read; save it as JPEG or PNG'
        >>> unread_kind("cat.jpg"), unread_kind("pkl")
        ('', '')
    """
    stem, dot, ending = _SHARD.sub("", name).rpartition(".")
    return _REASONS.get(ending.lower(), "") if stem and dot else ""
