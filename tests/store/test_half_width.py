from hypothesis import given
from hypothesis import strategies as st

from store.half_width import to_half_width


def test_full_width_letters_digits_signs_and_blanks_become_plain() -> None:
    assert to_half_width("Ａｚ０９／．－　＊") == "Az09/.- *"


def test_characters_of_names_stay_as_they_are() -> None:
    # U+F90A is what NFKC would turn into another character.
    assert to_half_width("陳\uf90a𤧟") == "陳\uf90a𤧟"


@given(st.text())
def test_length_and_place_of_every_character_stay(text: str) -> None:
    assert len(to_half_width(text)) == len(text)
