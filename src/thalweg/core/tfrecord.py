"""The check sums of TFRecord files, which TensorBoard's event files are: written in one room and read in another.

A record is its length, a sum of the length, data, and a sum of the data. The sum is CRC-32C (Castagnoli, polynomial
0x1EDC6F41, reflected 0x82F63B78), rotated and shifted by a constant so that a sum inside the data does no harm.
"""

__all__ = ["MASK_DELTA", "TABLE", "crc32c", "masked_sum"]

MASK_DELTA = 0xA282EAD8
_POLYNOMIAL = 0x82F63B78


def _make_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return tuple(table)


TABLE = _make_table()
"""What a byte does to a sum."""


def crc32c(data: bytes) -> int:
    """Sum up bytes by CRC-32C.

    Args:
        data: The bytes.

    Returns:
        The sum; of `123456789`, as RFC 3720 has it, 0xe3069283.

    Example:
        >>> hex(crc32c(b"123456789"))
        '0xe3069283'
    """
    value = 0xFFFFFFFF
    for byte in data:
        value = TABLE[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


def masked_sum(data: bytes) -> int:
    """Sum up bytes as a record does.

    Args:
        data: The bytes.

    Returns:
        Their CRC-32C, rotated by 15 bits and shifted.

    Example:
        >>> hex(masked_sum(b"123456789"))
        '0xc78ab0e5'
    """
    value = crc32c(data)
    return (((value >> 15) | (value << 17)) + MASK_DELTA) & 0xFFFFFFFF
