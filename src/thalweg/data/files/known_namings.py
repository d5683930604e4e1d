"""Sets of recordings whose classes stand in the names of files, as they were published.

    Free Spoken Digit, AudioMNIST   7_jackson_32.wav            the digit; the speaker
    RAVDESS                         03-01-05-01-02-01-12.wav    the third field is the emotion, the last the actor
    CREMA-D                         1001_DFA_ANG_XX.wav         the actor; the third field is the emotion
    EmoDB                           03a01Fa.wav                 the speaker; the letter behind the text is the emotion

A naming is known only if (nearly) all files are called so, and lie in one folder or in one a speaker.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from thalweg.data.files.belonging import Groups, together

__all__ = ["known_naming"]

_ENOUGH = 0.95
_RAVDESS = MappingProxyType({
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgust",
    "08": "surprised",
})
_CREMA = MappingProxyType({
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happy",
    "NEU": "neutral",
    "SAD": "sad",
})
_EMODB = MappingProxyType({
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happiness",
    "T": "sadness",
    "N": "neutral",
})
_NAMINGS: tuple[tuple[str, re.Pattern[str], Mapping[str, str]], ...] = (
    ("spoken digits", re.compile(r"(?P<name>\d)_(?P<who>[A-Za-z0-9]+)_\d+\.wav"), MappingProxyType({})),
    ("RAVDESS", re.compile(r"\d\d-\d\d-(?P<name>\d\d)-\d\d-\d\d-\d\d-(?P<who>\d\d)\.wav"), _RAVDESS),
    ("CREMA-D", re.compile(r"(?P<who>\d{4})_[A-Z]{3}_(?P<name>[A-Z]{3})_[A-Z]{2}\.wav"), _CREMA),
    ("EmoDB", re.compile(r"(?P<who>\d\d)[ab]\d\d(?P<name>[WLEAFTN])[a-z]\.wav"), _EMODB),
)


def known_naming(files: Sequence[str]) -> tuple[str, dict[str, str], Groups, int] | None:
    """Read the classes of recordings from their names, where these are called as a published set has them.

    Args:
        files: Paths of the recordings.

    Returns:
        The set, the class of each file, the files of each speaker, and how many speakers there are; None where they
        are called otherwise.

    Example:
        >>> known_naming(["a/0_ann_0.wav", "a/1_ann_0.wav", "a/0_bob_0.wav", "a/1_bob_0.wav"])[:2]
        ('spoken digits', {'a/0_ann_0.wav': '0', 'a/1_ann_0.wav': '1', 'a/0_bob_0.wav': '0', 'a/1_bob_0.wav': '1'})
        >>> known_naming(["dog/1.wav", "dog/2.wav"])
    """
    for what, naming, called in _NAMINGS:
        classes: dict[str, str] = {}
        speakers: dict[str, str] = {}
        for file in files:
            match = naming.fullmatch(file.rpartition("/")[2])
            if match and (not called or match["name"] in called):
                classes[file] = called.get(match["name"], match["name"])
                speakers[file] = match["who"]
        groups, number = together(speakers.items())
        folders = {(file.rpartition("/")[0], who) for file, who in speakers.items()}
        in_folders = len({folder for folder, _ in folders}) > 1
        if in_folders and len(folders) > len({folder for folder, _ in folders}):
            continue  # folders that hold several speakers are classes
        if len(classes) >= _ENOUGH * len(files) and len(set(classes.values())) > 1 and number > 1:
            return what, classes, groups, number
    return None
