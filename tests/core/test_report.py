"""What a report is made of."""

from thalweg.core.report import Picture


def test_a_line_of_a_signal_is_wide_and_a_square_picture_or_a_jpeg_is_not():
    def picture(width, height, media_type="image/png"):
        header = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big")
        return Picture(data=header, media_type=media_type, caption="")

    assert picture(300, 100).wide
    assert not picture(140, 100).wide
    assert not picture(300, 100, "image/jpeg").wide
    assert not Picture(data=b"", media_type="image/png", caption="").wide
