from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.immunization_checks import DoseGiven, check_timing
from store.lots import LotType
from store.problems import Problem, ProblemCode
from store.schedule import spacing_rules
from store.special_identities import check_identity
from ui import wording

BORN = date(2025, 1, 1)
FIRST = date(2026, 3, 2)
MINIMUM = "依據：疾管署「最小接種年齡與最短間隔」114.4"
SPACING = "依據：疾管署「間隔時間一覽表」115.05"


@pytest.mark.parametrize(
    ("dose", "other", "sentence"),
    [
        (
            DoseGiven("MMR", "1", date(2025, 12, 31)),
            None,
            f"出生後 364 天，這一劑最小接種年齡是 365 天，最早 115/01/01，不得提早。{MINIMUM}",
        ),
        (
            DoseGiven("5in1", "2", date(2025, 3, 2)),
            None,
            "出生後 60 天，這一劑最小接種年齡是 70 天（由前面各劑的最短間隔推算），最早 114/03/12，"
            f"提早 4 天內仍有效。{MINIMUM}",
        ),
        (
            DoseGiven("5in1", "2", date(2026, 3, 20)),
            DoseGiven("5in1", "1", FIRST),
            f"距第 1 劑（115/03/02）18 天，最短間隔 28 天，最早 115/03/30，提早 4 天內仍有效。{MINIMUM}",
        ),
        (
            DoseGiven("MMR", "1", date(2026, 3, 2)),
            DoseGiven("MMR", "2", date(2026, 3, 20)),
            "第 2 劑（115/03/20）距這一劑只有 18 天，最短間隔 28 天，第 2 劑最早應在 115/03/30，不得提早。" + MINIMUM,
        ),
        (
            DoseGiven("Var", "1", date(2026, 3, 20)),
            DoseGiven("MMR", "1", FIRST),
            "115/03/02 接種過 MMR，只隔 18 天；活性減毒疫苗應同一天接種（不同部位）或間隔至少 28 天，"
            f"否則後接種的一劑無效，最早 115/03/30。{SPACING}",
        ),
        (
            DoseGiven("Var", "1", FIRST),
            DoseGiven("MMR", "1", date(2026, 3, 20)),
            "之後 115/03/20 已接種 MMR，只隔 18 天；活性減毒疫苗應同一天接種（不同部位）或間隔至少 28 天，"
            f"否則後接種的一劑無效，MMR 最早應在 115/03/30。{SPACING}",
        ),
        (
            DoseGiven("5in1", "2", FIRST),
            DoseGiven("5in1", "1", date(2026, 3, 20)),
            "與第 1 劑（115/03/20）的先後順序相反，請核對日期與劑別",
        ),
    ],
    ids=["age", "derived age", "after the dose before", "next dose", "after a live", "before a live", "out of order"],
)
def test_a_dose_too_early_is_told_why_until_when_and_by_which_rule(
    dose: DoseGiven, other: DoseGiven | None, sentence: str
) -> None:
    (problem,) = check_timing(dose, BORN, [other] if other else [])

    assert wording.problem(problem) == sentence


@pytest.mark.parametrize(
    ("vaccine_code", "identity", "sentence"),
    [
        ("Flu", "", "流感疫苗須填特殊身分。依據：115年流感疫苗接種計畫工作手冊 附件14"),
        ("Flu", "F99", "流感的身分代碼表沒有這個代碼，請核對。依據：115年流感疫苗接種計畫工作手冊 附件14"),
        ("MMR", "C12", "這是「COVID-19」的身分代碼，不是這個疫苗的。依據：臺南市佳里區衛生所公開工具"),
        (
            "CoV_Moderna_LP",
            "C08A",
            "「C08A 75歲以上」與年齡不符：接種年減出生年是 1。依據：臺南市佳里區衛生所公開工具",
        ),
    ],
    ids=["missing", "unknown", "other vaccine", "other age"],
)
def test_an_odd_identity_is_told_why_and_by_which_list(vaccine_code: str, identity: str, sentence: str) -> None:
    (problem,) = check_identity(vaccine_code, identity, LotType.CENTRAL, BORN, FIRST)

    assert wording.problem(problem) == sentence


def test_every_spacing_rule_of_the_table_has_its_words_and_a_new_one_is_still_told() -> None:
    assert {rule.rule for rule in spacing_rules()} <= wording.CHECK_SPACING_RULE.keys()

    (problem,) = check_timing(DoseGiven("Var", "1", FIRST), None, [DoseGiven("MMR", "1", FIRST - timedelta(days=1))])
    told = wording.problem(Problem(problem.field, problem.code, {**problem.facts, "rule": "new"}))
    assert "只隔 1 天；應間隔至少 28 天，最早" in told


@given(
    st.sampled_from(["MMR", "Var", "OPV", "2Rota", "rHepB"]),
    st.text() | st.just("2"),
    st.dates(date(2910, 12, 1), date(2910, 12, 31)),
    st.integers(0, 30),
)
def test_a_sentence_is_made_also_at_the_end_of_the_calendar(code: str, label: str, day: date, gap: int) -> None:
    others = [DoseGiven("MMR", label, day - timedelta(days=gap)), DoseGiven("OPV", label, day)]

    for problem in check_timing(DoseGiven(code, label, day), day, others):
        assert wording.problem(problem)


def test_a_booster_is_named_by_its_label() -> None:
    facts = {"other_vaccine": "CoV_Moderna", "other_dose": "B2", "other_date": "2026-03-02"}

    told = wording.problem(Problem("vaccination_date", ProblemCode.DOSE_OUT_OF_ORDER, facts))

    assert told.startswith("與劑別 B2（115/03/02）")
