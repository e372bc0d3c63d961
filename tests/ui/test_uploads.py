"""BA102_3_UPLOAD and BA102_3_DOWNLOAD as staff see them, with a hub beside them that does what a test says."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from nicegui import ui
from nicegui.testing import User

from store.changes import ChangeDraft, ChangeKind
from store.patients import identity_digest
from store.protocol import CdcLinkState
from store.uploads import UploadState
from store.vaccinations import VaccinationDraft
from tests.ui.clinic import Clinic
from tests.ui.keys import press
from tests.ui.waiting import WAITED, see, until
from ui.state import AppState

UNKNOWN_LOT = {"severity": "error", "code": "E00091", "text": "批號不存在"}
WRONG_ID = {"severity": "error", "code": "E00018", "text": "身分證號錯誤(未轉入NIIS系統)"}
SETTLED = {"severity": "error", "code": "E00002", "text": "單位此月份已結算"}


@pytest.fixture
def clinic() -> Clinic:
    return Clinic()


@pytest.fixture
async def state(clinic: Clinic) -> AppState:
    return await clinic.open()


def rows(user: User) -> list[dict[str, str]]:
    table = next(iter(user.find(marker="vaccinations").elements))
    assert isinstance(table, ui.table)
    return table.rows


def tap(user: User, marker: str) -> None:
    user.find(marker=marker).click()


async def fill(user: User, **fields: str) -> None:
    for name, value in fields.items():
        next(iter(user.find(marker=name.replace("_", "-")).elements)).set_value(value)


def text(user: User, marker: str) -> str:
    return str(next(iter(user.find(marker=marker).elements)).text)


def error_of(user: User, marker: str) -> str:
    return str(next(iter(user.find(marker=marker).elements)).props.get("error-message") or "")


# ---- BA102_3_UPLOAD: the search and the list


async def test_the_list_has_the_manuals_columns_in_its_order(user: User, clinic: Clinic) -> None:
    await clinic.give()
    await user.open("/BA102_3_UPLOAD")

    table = next(iter(user.find(marker="vaccinations").elements))
    assert isinstance(table, ui.table)
    labels = [column["label"] for column in table.columns]
    manual = ["筆數", "接種日期", "病歷號", "姓名", "性別", "生日", "身分證", "同胎次序", "胎次", "胎別", "父母身分證"]
    assert [label for label in labels if label in manual] == manual
    assert (rows(user)[0]["sex"], rows(user)[0]["birth_date"]) == ("2", "074/11/08")


async def test_what_was_sent_last_is_told_and_how(user: User, clinic: Clinic) -> None:
    record = await clinic.give()
    await user.open("/BA102_3_UPLOAD")
    await user.should_see("最後傳送日 無")
    await user.should_see("上傳方式 1.VPN")

    await clinic.sends("b1", record)
    await see(user, "最後傳送日 115/11/20 10:00:00")


def turn(user: User, **page: object) -> None:
    """What the table asks for when somebody leafs through it, or taps a column's name."""
    user.find(marker="vaccinations").trigger("request", {"pagination": {"page": 1, "sortBy": None, **page}})


async def test_a_long_list_makes_the_page_in_view_only_and_keeps_it(user: User, clinic: Clinic) -> None:
    for number in range(1, 33):
        await clinic.give(number, lot_number=f"LOT{40 - number}")
    await user.open("/BA102_3_UPLOAD")
    table = next(iter(user.find(marker="vaccinations").elements))
    assert isinstance(table, ui.table)
    assert [row["number"] for row in rows(user)] == list(range(1, 16))
    assert table.pagination["rowsNumber"] == 32

    turn(user, page=3)
    assert [row["number"] for row in rows(user)] == [31, 32]

    await clinic.give(33)
    await until(lambda: [row["number"] for row in rows(user)] == [31, 32, 33])

    turn(user, sortBy="lot_number", descending=False)
    lots = [row["lot_number"] for row in rows(user)]
    assert lots == sorted(lots)
    assert rows(user)[0]["number"] > rows(user)[1]["number"] > 1  # each keeps the number it has in the list


async def test_a_later_page_that_is_no_more_gives_the_last_one(user: User, clinic: Clinic) -> None:
    records = [await clinic.give(number) for number in range(1, 17)]
    await user.open("/BA102_3_UPLOAD")
    turn(user, page=2)
    assert [row["number"] for row in rows(user)] == [16]

    await clinic.sends("b1", *records[:4])
    await clinic.cdc_accepts("b1")
    await until(lambda: [row["number"] for row in rows(user)] == list(range(1, 13)))


async def test_nothing_to_upload_says_what_to_do_next(user: User) -> None:
    await user.open("/BA102_3_UPLOAD")
    await user.should_see("沒有待上傳的資料。到「BA102_3」登錄")

    tap(user, "upload")
    await see(user, "列表中沒有待上傳的資料")


async def test_a_range_of_days_lists_what_was_given_in_it(user: User, clinic: Clinic) -> None:
    today = clinic.state.today()
    for number, days in enumerate((0, 3, 40), start=1):
        await clinic.give(number, vaccination_date=today - timedelta(days=days))
    await user.open("/BA102_3_UPLOAD")
    await user.should_see("待上傳 3 筆")

    await fill(user, search_by="range", range_from="115.11.15", range_to="1151120")
    tap(user, "load")

    await see(user, "區間內 2 筆，其中待上傳 2 筆")
    assert [row["vaccination_date"] for row in rows(user)] == ["115/11/17", "115/11/20"]


@pytest.mark.parametrize(
    ("first", "last", "at_fault", "told"),
    [
        ("1151120", "1151101", "range-from", "起日晚於迄日"),
        ("1140101", "1151120", "range-to", "區間最長"),
        ("20261120", "1151120", "range-from", "這是西元年"),
        ("1151120", "1150230", "range-to", "沒有這一天"),
        ("1151120", '<img src=x">', "range-to", "看不懂這個日期"),
    ],
)
async def test_a_day_at_fault_says_so_at_its_field(
    user: User, clinic: Clinic, first: str, last: str, at_fault: str, told: str
) -> None:
    await clinic.give()
    await user.open("/BA102_3_UPLOAD")
    await fill(user, search_by="range", range_from=first, range_to=last)
    tap(user, "load")

    other = {"range-from": "range-to", "range-to": "range-from"}[at_fault]
    assert told in error_of(user, at_fault)
    assert error_of(user, other) == ""
    assert text(user, "upload-count") == "待上傳 1 筆"

    await fill(user, range_from="1151120", range_to="1151120")
    tap(user, "load")
    assert error_of(user, at_fault) == ""


# ---- BA102_3_UPLOAD: the tap


async def test_an_upload_is_followed_and_ends_in_cdcs_words_and_not_verified(user: User, clinic: Clinic) -> None:
    records = [await clinic.give(number) for number in (1, 2)]
    await user.open("/BA102_3_UPLOAD")
    tap(user, "upload")
    await see(user, "預防接種資料上傳中，請稍候...")
    await clinic.sends("b1", *records[:1])
    await see(user, "共 2 筆：等候送出 1、已送出 1、疾管署已收件 0、退回 0")
    await clinic.cdc_accepts("b1")
    await see(user, "等候送出 1、已送出 0、疾管署已收件 1、退回 0")
    await user.should_not_see("API回傳訊息")

    await clinic.sends("b2", records[1])
    await clinic.cdc_accepts("b2")

    await see(user, "API回傳訊息=I00000 作業完成。")
    assert len(user.find(marker="api-words").elements) == 1  # the same words of two batches are told once
    await user.should_see("送出 2 筆：收件 2 筆、退回 0 筆。")
    await user.should_see("疾管署已收件（尚未檢核）")
    await user.should_see("還沒有檢核，不算完成：115/11/20 10:10:00 起")
    tap(user, "result-ok")
    await user.should_not_see("API回傳訊息")
    await see(user, "沒有待上傳的資料")


async def test_a_batch_refused_whole_is_told_in_cdcs_words(user: User, clinic: Clinic) -> None:
    record = await clinic.give()
    await user.open("/BA102_3_UPLOAD")
    tap(user, "upload")
    await clinic.sends("b1", record)
    message = {"severity": "error", "code": "E00013", "text": "新增失敗,整批退回"}
    await clinic._hub_makes(ChangeKind.UPLOAD_REFUSED, "b1", {"message": message})

    await see(user, "API回傳訊息=E00013 新增失敗,整批退回。")
    await user.should_see("送出 1 筆：收件 0 筆、退回 1 筆。")
    await user.should_see("疾管署已回應")
    await user.should_not_see("已收件（尚未檢核）")


async def test_words_of_an_unknown_success_stand_as_they_came(user: User, clinic: Clinic) -> None:
    record = await clinic.give()
    await user.open("/BA102_3_UPLOAD")
    tap(user, "upload")
    await clinic.sends("b1", record)
    await clinic.cdc_accepts("b1", {"severity": "information", "code": "100000", "text": "作業完成"})

    await see(user, "API回傳訊息=100000 作業完成。")


async def test_tapping_twice_asks_the_hub_once(user: User, clinic: Clinic) -> None:
    await clinic.give()
    await user.open("/BA102_3_UPLOAD")
    tap(user, "upload")
    press(next(iter(user.find(ui.keyboard).elements)), "F9")
    tap(user, "upload")
    await see(user, "共 1 筆：等候送出 1")

    assert clinic.wakes == 1


async def test_only_what_is_listed_is_followed(user: User, clinic: Clinic) -> None:
    today = clinic.state.today()
    early, late = [await clinic.give(n, vaccination_date=today - timedelta(days=n)) for n in (9, 1)]
    await user.open("/BA102_3_UPLOAD")
    await fill(user, search_by="range", range_from="1151119", range_to="1151120")
    tap(user, "load")
    tap(user, "upload")
    await see(user, "共 1 筆：等候送出 1")
    await clinic.sends("b1", late)
    await clinic.cdc_accepts("b1")

    await see(user, "送出 1 筆：收件 1 筆")
    assert clinic.state.database.tables.vaccinations.at(early)["upload_state"] == UploadState.NOT_SENT


async def test_who_has_no_id_is_told_of_instead_of_waited_for(user: User, clinic: Clinic) -> None:
    nobody = await clinic.register(record_id="8" * 32, chart_number="070001", national_id=None, id_type=None)
    await clinic.give(1, patient_id=nobody)
    await user.open("/BA102_3_UPLOAD")
    tap(user, "upload")

    await see(user, "有 1 筆不能上傳（缺身分證")
    assert clinic.wakes == 0


async def hub_away(clinic: Clinic) -> None:
    clinic.is_away = True


async def no_network(clinic: Clinic) -> None:
    clinic.is_away = clinic.has_no_network = True


async def not_configured(clinic: Clinic) -> None:
    clinic.refusal = "cdc_not_configured"


async def broken_line(clinic: Clinic) -> None:
    clinic.refusal = "cdc_link_failed"


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (hub_away, "連不上主機，資料已存在這台裝置，恢復後會自動同步。"),
        (no_network, "這台裝置沒有連上診所網路，請檢查網路線或 Wi-Fi；資料已存在這台裝置"),
        (not_configured, "主機尚未設定疾管署連線，資料先存在本機；設定後會自動上傳。"),
        (broken_line, "主機的疾管署連線無法使用（憑證或設定），請洽資訊人員；資料都在本機，不會遺失。"),
    ],
)
async def test_whatever_is_away_is_told_and_nothing_is_lost(
    user: User, clinic: Clinic, trouble: Callable[[Clinic], object], told: str
) -> None:
    await clinic.give()
    await trouble(clinic)  # type: ignore[misc]
    await user.open("/BA102_3_UPLOAD")
    tap(user, "upload")

    await see(user, told)
    await user.should_not_see("請稍候")
    await user.should_see("待上傳 1 筆")


@pytest.mark.parametrize(
    ("line", "detail", "told"),
    [
        (CdcLinkState.UNREACHABLE, "not_reached: OSError", "連不上疾管署，請確認 VPN 已連線；恢復後會自動上傳"),
        (CdcLinkState.REFUSED_KEY, "HTTP 401 E00001 未具權限", "不接受本院的 API 識別碼，上傳已停止，不會自動再試"),
        (CdcLinkState.FAILING, "HTTP 503 E00096 系統忙碌中", "VPN 已通，但疾管署系統沒有正常回應，稍後會自動再試"),
    ],
)
async def test_a_line_that_fails_after_the_tap_ends_the_waiting_and_says_why(
    user: User, clinic: Clinic, line: CdcLinkState, detail: str, told: str
) -> None:
    await clinic.give()
    await clinic.line(line, detail)  # it was down before the tap already, and is tried anew
    await user.open("/BA102_3_UPLOAD")
    tap(user, "upload")
    await see(user, "預防接種資料上傳中，請稍候...")

    await clinic.line(line, detail)

    await see(user, "下次自動再試 115/11/20 10:05:00")
    outcome = text(user, "upload-outcome")
    assert told in outcome
    assert ("HTTP" in outcome, detail in outcome) == ("HTTP" in detail, "HTTP" in detail)  # no name of an error
    await user.should_not_see("請稍候")


# ---- BA102_3_DOWNLOAD


async def test_the_time_of_each_batch_is_counted_down(user: User, clinic: Clinic) -> None:
    records = [await clinic.give(number) for number in (1, 2)]
    await clinic.sends("b1", *records)
    await user.open("/BA102_3_DOWNLOAD")
    await user.should_see("115/11/20 10:00:00 送出 2 筆，等候疾管署回應")
    await clinic.cdc_accepts("b1", minutes=10)
    await see(user, "115/11/20 10:10:00 自動下載檢核結果，還有 10 分 0 秒")

    clinic.clock.forward(seconds=48)
    await see(user, "還有 9 分 12 秒")  # nothing else has changed
    clinic.clock.forward(minutes=10)
    await see(user, "檢核時間已到，系統查詢中")


async def test_a_tap_before_the_time_says_when_it_is(user: User, clinic: Clinic) -> None:
    record = await clinic.give()
    await clinic.sends("b1", record)
    await clinic.cdc_accepts("b1")
    await user.open("/BA102_3_DOWNLOAD")
    tap(user, "download")

    await see(user, "還沒到檢核時間，115/11/20 10:10:00 會自動下載檢核結果。")


async def test_a_tap_when_due_waits_for_the_verdicts_and_counts_them(user: User, clinic: Clinic) -> None:
    good, bad = [await clinic.give(number) for number in (1, 2)]
    await clinic.sends("b1", good, bad)
    await clinic.cdc_accepts("b1", minutes=10)
    clinic.clock.forward(minutes=11)
    await user.open("/BA102_3_DOWNLOAD")
    press(next(iter(user.find(ui.keyboard).elements)), "F9")
    tap(user, "download")
    await see(user, "已向疾管署查詢檢核結果，請稍候...")
    await clinic.cdc_judges("b1", **{f"r{good}": None})
    await see(user, "1 / 2 筆已有結果")
    await clinic.cdc_judges("b1", **{f"r{bad}": UNKNOWN_LOT})

    await see(user, "檢核通過 1 筆，檢核失敗 1 筆。")
    await user.should_see("修正，存檔後會自動回到待上傳")
    assert clinic.wakes == 1


async def test_refusals_come_first_with_cdcs_words_and_what_to_do(user: User, clinic: Clinic) -> None:
    good, bad, odd = [await clinic.give(n, vaccine_code=code) for n, code in enumerate(("MMR", "Var", "Flu"), start=1)]
    await clinic.sends("b1", good, bad, odd)
    unheard = {"severity": "error", "code": "X9", "text": "從未見過的說法"}
    await clinic.cdc_judges("b1", **{f"r{good}": None, f"r{bad}": UNKNOWN_LOT, f"r{odd}": unheard})
    await user.open("/BA102_3_DOWNLOAD")

    told = [(row["state"], row["message"], row["explained"][:12]) for row in rows(user)]
    assert told == [
        ("檢核失敗", "E00091 批號不存在", "疾管署沒有這個疫苗、型別"),
        ("檢核失敗", "X9 從未見過的說法", "這是系統不認得的訊息。請"),
        ("檢核通過", "I00001 新增成功", ""),
    ]
    assert rows(user)[2]["judged_at"] == "115/11/20 10:00:00"
    assert text(user, "verification-count") == "檢核失敗 2　待檢核 0　檢核通過 1"

    await fill(user, state_filter="verified")
    await until(lambda: [row["state"] for row in rows(user)] == ["檢核通過"])
    await fill(user, state_filter="waiting")
    await see(user, "列表中沒有這個狀態的資料")


async def test_a_days_verdicts_are_found_by_the_range(user: User, clinic: Clinic) -> None:
    today = clinic.state.today()
    records = [await clinic.give(n, vaccination_date=today - timedelta(days=n)) for n in (1, 5)]
    await clinic.give(9, vaccination_date=today - timedelta(days=1))  # never sent, so there is no verdict to await
    await clinic.sends("b1", *records)
    await clinic.cdc_judges("b1", **{f"r{records[0]}": None, f"r{records[1]}": UNKNOWN_LOT})
    await user.open("/BA102_3_DOWNLOAD")
    await fill(user, search_by="range", range_from="1151119", range_to="1151119")
    tap(user, "load")

    await see(user, "檢核失敗 0　待檢核 0　檢核通過 1")
    assert [row["vaccination_date"] for row in rows(user)] == ["115/11/19"]


async def test_nothing_uploaded_says_what_comes_here(user: User) -> None:
    await user.open("/BA102_3_DOWNLOAD")
    await user.should_see("還沒有上傳過的資料。上傳後約 10-20 分鐘")
    tap(user, "download")
    await see(user, "沒有等候檢核的資料。")


async def test_a_refusal_opens_at_its_field_and_the_corrected_record_waits_again(user: User, clinic: Clinic) -> None:
    record = await clinic.give(lot_number="WRONG-CDC")
    await clinic.sends("b1", record)
    await clinic.cdc_judges("b1", **{f"r{record}": UNKNOWN_LOT})
    await user.open("/BA102_3_DOWNLOAD")
    user.find(marker="vaccinations").trigger("rowClick", [{}, {"record_id": record}])
    await see(user, "疾管署訊息：E00091 批號不存在")
    assert "autofocus" in next(iter(user.find(marker="lot_number").elements)).props

    await fill(user, **{"note": "x"})
    next(iter(user.find(marker="lot_number").elements)).set_value("AMJRE075AA-CDC")
    tap(user, "save")
    await user.should_see(marker="save-anyway", retries=WAITED)
    tap(user, "save-anyway")
    await see(user, "已存檔")

    await user.open("/BA102_3_UPLOAD")
    await user.should_see("待上傳 1 筆")
    assert rows(user)[0]["lot_number"] == "AMJRE075AA-CDC"
    await user.should_not_see(marker="refused-wait")


async def test_a_refused_id_opens_the_person_and_the_mended_one_sends_the_dose_again(
    user: User, clinic: Clinic
) -> None:
    record = await clinic.give()
    await clinic.sends("b1", record)
    await clinic.cdc_judges("b1", **{f"r{record}": WRONG_ID})
    await user.open("/BA102_3_DOWNLOAD")
    user.find(marker="vaccinations").trigger("rowClick", [{}, {"record_id": record}])
    await see(user, "疾管署訊息：E00018 身分證號錯誤(未轉入NIIS系統)")
    assert "autofocus" in next(iter(user.find(marker="national_id").elements)).props

    next(iter(user.find(marker="national_id").elements)).set_value("D222419830")
    tap(user, "save-patient")
    await see(user, "已存檔：測試患者")

    tables = clinic.state.database.tables
    dose = tables.vaccinations.at(record)
    assert dose["upload_state"] == UploadState.NOT_SENT
    assert dose["identity"] == identity_digest(tables.patients.at(dose["person_id"]))


async def test_a_refused_record_goes_again_unchanged_only_when_somebody_says_so(user: User, clinic: Clinic) -> None:
    record = await clinic.give()
    await clinic.sends("b1", record)
    await clinic.cdc_judges("b1", **{f"r{record}": UNKNOWN_LOT})
    dose = clinic.state.database.tables.vaccinations
    await user.open("/BA102_3_UPLOAD")
    await user.should_see("檢核失敗 1 筆，修正後才會回到待上傳。")
    tap(user, "upload")
    await see(user, "列表中沒有待上傳的資料")
    assert dose.at(record)["upload_state"] == UploadState.REFUSED

    await user.open("/BA102_3_DOWNLOAD")
    tap(user, "send-again")
    await user.should_see(marker="cancel", retries=WAITED)
    tap(user, "cancel")
    await user.should_not_see("要再上傳嗎")
    assert dose.at(record)["upload_state"] == UploadState.REFUSED

    tap(user, "send-again")
    await user.should_see(marker="confirm", retries=WAITED)
    tap(user, "confirm")
    await see(user, "1 筆已回到待上傳")
    assert dose.at(record)["upload_state"] == UploadState.NOT_SENT


async def test_what_cdc_has_locked_is_explained_and_goes_again_only_by_its_own_tap(user: User, clinic: Clinic) -> None:
    record = await clinic.give()
    await clinic.sends("b1", record)
    await clinic.cdc_judges("b1", **{f"r{record}": SETTLED})
    await user.open("/BA102_3_UPLOAD")
    await user.should_see("疾管署已鎖定 1 筆，不會自動再上傳")
    await user.should_not_see(marker="refused-wait")

    await user.open("/BA102_3_DOWNLOAD")
    await user.should_see("檢核失敗 0　待檢核 0　檢核通過 0　疾管署已鎖定 1")
    [row] = rows(user)
    assert (row["state"], row["message"]) == ("疾管署已鎖定", "E00002 單位此月份已結算")
    assert "這筆只在本機，疾管署沒有" in row["explained"]
    await user.should_not_see(marker="send-again")
    await user.should_not_see(marker="send-locked-again")
    next(iter(user.find(marker="state-filter").elements)).set_value("locked")
    await user.should_see(marker="send-locked-again", retries=WAITED)
    tap(user, "send-locked-again")
    await user.should_see(marker="confirm", retries=WAITED)
    tap(user, "confirm")
    await see(user, "1 筆已回到待上傳")


async def test_a_locked_correction_says_that_cdc_holds_the_older_content(user: User, clinic: Clinic) -> None:
    record = await clinic.give()
    await clinic.sends("b1", record)
    await clinic.cdc_judges("b1", **{f"r{record}": None})
    dose = clinic.state.database.tables.vaccinations.at(record)
    fields = {name: dose[name] for name in VaccinationDraft.model_fields if name in dose}
    draft = ChangeDraft(ChangeKind.CORRECT_VACCINATION, record, {**fields, "note": "y"}, (dose["revision"],))
    await clinic.state.commit([draft])
    await clinic.sends("b2", record)
    await clinic.cdc_judges("b2", **{f"r{record}": SETTLED})

    await user.open(f"/BA102_3?record={record}")
    await see(user, "疾管署已鎖定。疾管署訊息：E00002 單位此月份已結算")
    await user.should_see("本機保留修改後的內容，疾管署仍是修改前的內容")


async def test_no_verdict_within_a_day_is_shown_as_failed_until_one_comes(user: User, clinic: Clinic) -> None:
    record = await clinic.give()
    await clinic.sends("b1", record)
    await clinic.cdc_accepts("b1")
    await clinic._hub_makes(ChangeKind.UPLOAD_OVERDUE, "b1", {})

    await user.open("/BA102_3_DOWNLOAD")
    await user.should_see("檢核失敗 0　待檢核 0　檢核通過 0　逾時未檢核 1")
    await user.should_see("超過 24 小時沒有檢核結果，系統每小時再查詢（批次 b1）")
    assert "請不要重新登錄" in rows(user)[0]["explained"]
    assert "請把批次 b1 告訴疾管署查明" in rows(user)[0]["explained"]
    await user.should_see("檢核失敗 1")  # in the bar

    await clinic.cdc_judges("b1", **{f"r{record}": None})
    await see(user, "檢核失敗 0　待檢核 0　檢核通過 1")


async def test_voided_before_cdc_had_it_is_not_listed(user: User, clinic: Clinic) -> None:
    record = await clinic.give()
    revision = clinic.state.database.tables.vaccinations.at(record)["revision"]
    await clinic.state.commit([ChangeDraft(ChangeKind.VOID_VACCINATION, record, {"reason": "x"}, (revision,))])
    await user.open("/BA102_3_UPLOAD")

    await user.should_see("沒有待上傳的資料")
