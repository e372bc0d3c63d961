"""What is practised with must not itself be wrong: a nurse would learn the wrong thing."""

from collections import Counter
from datetime import date, timedelta

import pytest

from store.changes import World
from store.codes import vaccine_by_code
from store.device_database import DeviceDatabase
from store.lots import parse_lot_number
from store.patients import check_patient
from store.practice_data import (
    draft_lots,
    draft_people,
    draft_records,
    practice_doses,
    practice_exams,
    practice_lots,
    practice_people,
)
from store.prenatal import check_exam
from store.problems import ProblemCode
from store.storage import MemoryFolder
from store.vaccinations import check_vaccination
from tests.worlds import make_world

TODAY = date(2026, 11, 28)
DAYS = [TODAY, date(2027, 2, 28), date(2028, 2, 29), date(2031, 7, 1)]
SENT_BY_PURPOSE = "FLU26A9-CDC"


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.mark.parametrize("today", DAYS, ids=str)
def test_every_name_says_that_nobody_is_real(today: date) -> None:
    assert [person.name for person in practice_people(today) if not person.name.startswith("練習")] == []


@pytest.mark.parametrize("today", DAYS, ids=str)
def test_people_are_in_order_but_for_one_without_an_id(today: date) -> None:
    problems = [problem.code for person in practice_people(today) for problem in check_patient(person, today)]

    assert problems == [ProblemCode.ID_MISSING]


@pytest.mark.parametrize("today", DAYS, ids=str)
def test_doses_are_in_order_but_for_one_of_an_unknown_lot(today: date) -> None:
    people = {person.record_id: person for person in practice_people(today)}
    lots = [each.lot for each in practice_lots(today)]
    doses = practice_doses(today)
    found = {
        (dose.lot_number, problem.code)
        for dose in doses
        for problem in check_vaccination(
            dose,
            people[dose.patient_id],
            lots,
            [other for other in doses if other.patient_id == dose.patient_id],
            dose.vaccination_date,
        )
    }

    assert found == {(SENT_BY_PURPOSE, ProblemCode.LOT_UNKNOWN)}


@pytest.mark.parametrize("today", DAYS, ids=str)
def test_exam_reports_are_in_order(today: date) -> None:
    people = {person.record_id: person for person in practice_people(today)}

    assert [check_exam(exam, people[exam.patient_id], [], today) for exam in practice_exams(today)] == [[], []]


@pytest.mark.parametrize("today", DAYS, ids=str)
def test_no_lot_expires_soon(today: date) -> None:
    assert min(each.lot.expires_on or today for each in practice_lots(today)) >= today + timedelta(days=180)


def test_no_more_doses_were_given_of_a_lot_than_it_had() -> None:
    given = Counter(dose.lot_number for dose in practice_doses(TODAY))

    for each in practice_lots(TODAY):
        assert given[each.lot.lot_number] < each.vials * (each.lot.doses_per_vial or 1), each


@pytest.mark.parametrize("today", DAYS, ids=str)
def test_somebody_is_of_the_age_for_each_vaccine(today: date) -> None:
    days = sorted((today - person.birth_date).days for person in practice_people(today) if person.birth_date)

    for due_from, due_until in ((0, 7), (60, 70), (120, 130), (365, 372), (450, 480), (540, 560), (1825, 1900)):
        assert any(due_from <= age <= due_until for age in days), due_from
    assert days[-1] > 65 * 366


async def test_all_of_it_is_readable_and_comes_under_the_same_ids(world: World) -> None:
    database = await DeviceDatabase.open(MemoryFolder(), world)
    drafts = [*draft_people(TODAY), *draft_lots(TODAY), *draft_records(TODAY)]

    await database.commit(drafts, "practice")
    tables = database.tables

    assert len(tables.unreadable) == 0
    assert len({draft.record_id for draft in drafts}) == len(drafts)
    assert (len(tables.patients), len(tables.exams)) == (20, 2)
    assert len(tables.lots) == len(practice_lots(TODAY)) - 1


def test_every_lot_is_of_a_vaccine_and_a_type_the_desk_knows() -> None:
    for each in practice_lots(TODAY):
        assert vaccine_by_code(each.lot.vaccine_code) is not None, each
        assert parse_lot_number(each.lot.lot_number).lot_type == each.lot.lot_type
