"""Full-width letters, digits and signs, as a Chinese input method types them, to the plain ones.

Decision 2026-11-23: not Unicode NFKC, which would also swap characters of people's names for others.
"""

_PLAIN = {code + 0xFEE0: code for code in range(0x21, 0x7F)} | {0x3000: 0x20}


def to_half_width(text: str) -> str:
    """Shape: "Ａ１２３／　" -> "A123/ "; all else stays."""
    return text if text.isascii() else text.translate(_PLAIN)
