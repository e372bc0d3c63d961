import pytest

from store.codes import vaccine_by_code, vaccines
from store.vaccine_choice import choose_vaccines

INFLUENZA = ["Flu", "LAIV", "FluHD", "FluAdj"]


def offered(*favourites: str, influenza: bool = True, named: str = "", lots: tuple[str, ...] = ()) -> list[str]:
    found = choose_vaccines(vaccines(), favourites, influenza=influenza, named=named, has_lots=lots.__contains__)
    return [vaccine.code for vaccine in found]


def test_with_nothing_ticked_those_with_lots_come_first_and_all_are_there() -> None:
    assert offered() == [vaccine.code for vaccine in vaccines() if vaccine.in_use]
    assert offered(lots=("MMR", "Var"))[:2] == ["Var", "MMR"]


def test_favourites_come_before_lots_and_all_others_after_them() -> None:
    codes = offered("PPV", "MMR", lots=("Var",))

    assert codes[:3] == ["MMR", "PPV", "Var"]
    assert sorted(codes) == sorted(offered())


def test_a_favourite_that_the_table_does_not_know_is_no_vaccine() -> None:
    assert offered("Gone_2019") == offered()


def test_with_influenza_off_none_against_it_is_offered() -> None:
    assert set(offered()) - set(offered(influenza=False)) == set(INFLUENZA)
    assert "Flu" not in offered("Flu", influenza=False)


def test_what_a_record_names_stays_offered() -> None:
    assert "Flu" in offered(influenza=False, named="Flu")


@pytest.mark.parametrize("code", ["Hib", "5in1"])
def test_haemophilus_influenzae_is_not_influenza(code: str) -> None:
    vaccine = vaccine_by_code(code)

    assert vaccine is not None
    assert not vaccine.is_influenza
