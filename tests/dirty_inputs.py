"""What nobody should type and somebody does, and what a broken browser says: the same for one name, to be replayed."""

import random
from collections.abc import Iterator

_LONG = 10_000
_PIECES = {
    "long": ["a" * _LONG, "疫" * _LONG, "👶" * _LONG, "9" * _LONG, " a" * (_LONG // 2), "<b>" * (_LONG // 3)],
    "emoji": ["👩‍👩‍👧‍👦", "🇹🇼", "👍🏽", "王😀明", "❤️", "e\u0301\u0301\u0301"],
    "right to left": ["שלום", "محمد ٣٤٥", "\u202e321 nimda", "אבג <b>x</b>", "a\u2067b\u2069c", "\u200fabc"],
    "control": ["\0", "a\0b", "\x07\x08\x1b[31mred", "a\tb", "a\r\nb", "\x7f", "a\u2028b", "\ufeffx", "a\u200b"],
    "halves": ["\ud83d", "a\udc00b", "\udfff\ud800", "王\ud83d"],
    "full-width": ["ＡＢＣ１２３", "１１５／５／２０", "　", "＜ｂ＞", "＝１＋１", "Ｂ２２２４１９８３８", "￥＄"],
    "sql": ["'; DROP TABLE patients;--", '" OR ""="', "1 OR 1=1", "\\'; --", "%' AND 1=(SELECT 1)--"],
    "html": [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        "</textarea><b>王</b>",
        "&lt;b&gt;&#x27;",
        '" onfocus=alert(1) autofocus="',
        "<svg/onload=alert(1)>",
    ],
    "code": [
        "{{constructor.constructor('alert(1)')()}}",
        "${7*7}",
        "javascript:alert(1)",
        "{0}",
        "{name}",
        "{text.__class__}",
        "%s%n%(x)s",
        "__proto__",
        "\\u003cb",
        "error bg-color=red mark=x",
        '"error-message="x',
        "'; //",
    ],
    "formulas": ["=1+1", "+886912345678", "-1", "@SUM(A1)", "\t=1", "=cmd|' /C calc'!A0", "'=1", "＝1"],
    "blank": ["", " ", "   ", "\t", "\n", "\xa0"],
    "numbers": ["-1", "0", "1e309", "NaN", "٣", "²", "½", "1.5", "00000000001", "99999999999999999999", "１２"],
    "days": ["1150230", "9999999", "0000101", "110/13/45", "20210527", "2021/5/27", "１１０．５．２７", "9991231"],
    "paths": ["../../etc/passwd", "C:\\x", "\\\\", "file:///x", "null", "undefined", "None", "true", "[object Object]"],
}
# Of which no field can be; None is an emptied one.
WRONG_TYPES: list[object] = [
    None, True, 0, -1, 3.5, 10**18, {}, {"value": 99}, {"value": "x"}, {"value": -1, "label": "x"}, {"value": {}},
    [], [1], ["x", None], [{"value": 0}], {"toString": "x"},
]  # fmt: skip


def dirty_texts(name: str, count: int = 500) -> Iterator[str]:
    """Every piece once, then pieces put together and signs drawn from all of Unicode."""
    draw = random.Random(name)
    pieces = [piece for group in _PIECES.values() for piece in group]
    for number in range(count):
        if number < len(pieces):
            yield pieces[number]
        elif number % 3:
            yield "".join(draw.choice(pieces)[:200] for _ in range(draw.randint(1, 3)))
        else:
            yield "".join(chr(draw.randrange(0x110000)) for _ in range(draw.randint(1, 12)))


def dirty_values(name: str, count: int = 500) -> Iterator[object]:
    """Texts, and among them values of the wrong type."""
    draw = random.Random(name)
    for number, text in enumerate(dirty_texts(name, count)):
        yield draw.choice(WRONG_TYPES) if number % 10 == 9 else text


def whole(text: str) -> str:
    """Without halves of characters, which nothing can keep."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
