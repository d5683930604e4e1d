"""CRC-32C against the vectors of RFC 3720, and against the sum computed bit by bit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.core.tfrecord import crc32c


@pytest.mark.parametrize(
    ("data", "known"),
    [(b"\0" * 32, 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43), (bytes(range(32)), 0x46DD794E), (b"123456789", 0xE3069283)],
)
def test_checksums_are_those_of_rfc_3720(data, known):
    assert crc32c(data) == known


@given(st.binary(max_size=100))
def test_the_table_does_what_single_bits_do(data):
    value = 0xFFFFFFFF
    for byte in data:
        for place in range(8):
            bit = (value ^ (byte >> place)) & 1
            value = (value >> 1) ^ (0x82F63B78 * bit)
    assert crc32c(data) == value ^ 0xFFFFFFFF
