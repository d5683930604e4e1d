"""Tables of classes in whatever column order, with and without a header, and what is no table."""

import pytest

from thalweg.core.errors import SourceError
from thalweg.data.masks.classes import find_table, usual_table


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("classes.csv", "id,name,r,g,b\n0,road,128,64,128\n1,car,64,0,128\n"),
        ("classes.csv", "r,g,b,class,label_id\n128,64,128,road,0\n64,0,128,car,1\n"),
        ("class_dict.csv", "name,r,g,b\nroad,128,64,128\ncar,64,0,128\n"),
        ("classes.csv", "name;color\nroad;#804080\ncar;#400080\n"),
        ("labels.csv", "\ufeffname,rgb\nroad,128 64 128\ncar,64 0 128\n"),
        ("classes.csv", "0,128,64,128,road\n1,64,0,128,car\n"),
        ("label_colors.txt", "128 64 128\troad\n64 0 128\tcar\n"),
        ("label_colors.txt", "128 64 128 road\n64 0 128 car\n"),
    ],
)
def test_the_same_classes_however_they_are_written(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    rows = find_table(tmp_path).rows
    assert [(row.value, row.name, row.colour) for row in rows] == [
        (0, "road", (128, 64, 128)),
        (1, "car", (64, 0, 128)),
    ]


def test_names_alone_are_numbered_in_their_order_and_void_is_no_class(tmp_path):
    (tmp_path / "codes.txt").write_text("road\ncar\nVoid\n")
    table = find_table(tmp_path)
    assert [row.name for row in table.classes] == ["road", "car"]
    assert [row.void for row in table.rows] == [False, False, True]
    assert not table.numbered


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("id,name\n0,road\n0,car\n", "the id 0 stands there twice"),
        ("id,name\n0,road\n1,road\n", "the name road stands there twice"),
        ("id,name\n0,road\nx,car\n", "line 3: 'x,car' is no class"),
        ("id,name\n0,road\n1,void\n", r"names fewer than two classes \(1\)"),
        (
            "id,name,r,g,b\n0,road,1,2,3\n1,car,1,2,300\n",
            "line 3: a name, an id from 0 to 65535 and colours from 0 to 255",
        ),
    ],
)
def test_what_is_no_table_is_refused_with_its_line(tmp_path, text, said):
    (tmp_path / "classes.csv").write_text(text)
    with pytest.raises(SourceError, match=said):
        find_table(tmp_path)


def test_usual_classes_and_none_elsewhere(tmp_path):
    assert len(usual_table("voc").classes) == 21
    assert len(usual_table("cityscapes").classes) == 19
    assert usual_table("folders") is None
    assert find_table(tmp_path) is None
