"""What CDC holds at last of each record is what the clinic says, or the difference stands on a screen.

The CDC here is the fake one with all it checks, in virtual time; staff and CDC do what hypothesis wants, then all is
quiet. What staff said last is noted beside the product, and CDC is asked for what it holds, not the hub.
"""

import asyncio
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from e2e.fake_cdc.cdc import Answer, Cdc
from e2e.fake_cdc.outcomes import UNKNOWN_BATCH, RequestRefused, processing_outcome, refusal_outcome
from e2e.fake_cdc.scenarios import NORMAL, Rule
from e2e.fake_cdc.signature import Gate
from store.changes import ChangeDraft, ChangeKind
from store.conflicts import conflicting_records, draft_choice
from store.exports import draft_export, draft_release, make_export, waiting_for_export
from store.tables import Tables
from store.uploads import UploadState
from sync.registry import Exchange
from tests.factories import PATIENT_ID, make_patient
from tests.sync.cdc_stand import ORG_ID, vaccination_draft
from tests.sync.test_worker_simulated import RECORDS, Story, Wonderland
from ui.pages.verification import _GROUPS

LOST = ("lost_before", "lost_after", "html", "503", "500", "500_after", "401")
RULES = {
    "refuse_row": Rule("", "refuse_row", nth=1),
    "certified": Rule("", "refuse_row", nth=1, code="E00011", text="該筆接種資料具有多筆發證歷程,不允許修改/刪除"),
    "month_closed": Rule("", "month_closed"),
    "refuse_batch": Rule("", "refuse_batch"),
    "unknown_code": Rule("", "unknown_code"),
    "missing": Rule("", "entry_missing", nth=1),
    "late": Rule("", "processing_202", retry_after=40),
}
BEHAVIOURS = ("", "", "", *LOST, *RULES, "never", "told_twice", "unknown_batch")
WORK = (
    "record", "record", "correct", "correct", "void", "void", "ask_again", "ask_again", "correct_apart", "settle",
    "export", "release", "restart", "nothing",
)  # fmt: skip
MINUTES = (0, 0, 1, 15, 15, 15, 120)


class Cdcs(Wonderland):
    """The fake CDC as the worker reaches it; its next requests meet what is `coming`, one each."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.real = Cdc(folder, Gate(), 0.0, lambda: self.now.timestamp())
        self.coming: list[str] = []
        self._never_judged: set[str] = set()

    async def upload(self, upload_batch_id: str, body: bytes) -> Exchange:
        said = self.misfortune = self.coming.pop(0) if self.coming else ""
        if said in LOST and not said.endswith("_after"):
            return self._spoiled(said, upload_batch_id, "upload")
        answer = self._ask(lambda rule: self.real.upload(ORG_ID, body, rule))
        if said in LOST:
            return self._spoiled(said, upload_batch_id, "upload")
        if said == "never":
            self._never_judged.add(upload_batch_id)
        return self._exchange("upload", upload_batch_id, answer.status, answer.content)

    async def confirm(self, upload_batch_id: str) -> Exchange:
        said = self.misfortune = self.coming.pop(0) if self.coming else ""
        if said in LOST:
            return self._spoiled(said, upload_batch_id, "confirm")
        answer = self._ask(lambda rule: self.real.confirm(ORG_ID, upload_batch_id, rule))
        if upload_batch_id in self._never_judged and answer.status == 200:
            answer = Answer(202, processing_outcome())
        if said == "unknown_batch":
            answer = Answer(404, refusal_outcome(UNKNOWN_BATCH))
        if said == "told_twice" and answer.status == 200:
            answer.content["entry"] *= 2
        return self._exchange("confirm", upload_batch_id, answer.status, answer.content, headers=answer.headers)

    def held(self, record_id: str) -> str:
        """What CDC holds of a record: what the resource says by which its revisions are told apart; empty for none."""
        record = self.real.holdings.records.get(record_id)
        return str(record.versions[-1]["resource"]["manufacturer"]["display"]) if record and record.held else ""

    def _ask(self, question: Any) -> Answer:
        try:
            answer: Answer = question(RULES.get(self.misfortune, NORMAL))
        except RequestRefused as refused:
            return Answer(refused.status, refusal_outcome(refused.refusal))
        return answer

    def _spoiled(self, said: str, batch_id: str, kind: Any) -> Exchange:
        if said.startswith("500"):
            return self._exchange(kind, batch_id, 500, {"resourceType": "OperationOutcome"})
        return super()._spoiled(said, batch_id, kind)


class Desk(Story):
    """The clinic of the story, with what staff said last of each record."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.cdc = self.cdcs = Cdcs(folder)
        self.said: dict[str, str] = {}  # empty: voided

    @property
    def tables(self) -> Tables:
        return self.database.tables

    async def do(self, work: str, record_id: str) -> None:
        document = self.tables.vaccinations.find(record_id)
        match work:
            case "correct_apart" if document and len(document["revisions"]) > 1 and not document["voided"]:
                # A station that had not seen the newest revision edits an older one.
                old = next(one for one in document["revisions"] if one != document["revision"])
                label = {"manufacturer": f"apart {self.cdc.now.timestamp()}"}
                self.cdc.now += timedelta(seconds=1)
                await self._commit(vaccination_draft(ChangeKind.CORRECT_VACCINATION, record_id, (old,), **label))
            case "settle" if document and document["conflict"]:
                await self._commit(draft_choice("vaccinations", document, document["revision"]))
            case "export":
                file = make_export(self.tables, waiting_for_export(self.tables, None)[:1], ORG_ID)
                if file.record_ids:
                    number = f"n{self.cdc.now.timestamp()}"
                    await self._commit(draft_export(self.tables, self.world.make_record_id(), number, file))
            case "release" if document and document.get("export"):
                await self._commit(draft_release(document["export"]["export_id"], [record_id]))
            case _:
                await super().do(work, record_id)
        for one in self.tables.vaccinations.documents():
            self._note(one)

    def _note(self, document: Any) -> None:
        """What the revision that stands says, out of the changes themselves."""
        revision = document["revisions"][document["revision"]]
        is_void = revision["kind"] == ChangeKind.VOID_VACCINATION
        self.said[document["record_id"]] = "" if is_void else revision["payload"]["manufacturer"]

    def state(self, record_id: str) -> str:
        return str(self.tables.vaccinations.at(record_id)["upload_state"])

    async def go_on(self, minutes: int, *coming: str) -> None:
        """The loop works for so long after staff's tap, and its first requests meet what is coming."""
        self.cdcs.coming = list(coming)
        self.worker.wake()
        await self.go_on_until(self.cdc.now + timedelta(minutes=minutes))

    async def come_to_rest(self) -> None:
        """CDC behaves from now on, except that it never judges what it has so far; staff see to the key."""
        await self.go_on(30 * 60)


def listed(tables: Tables) -> set[str]:
    """The records that the pages of upload, verification, outage and conflicts list, by the queries of these pages."""
    doses = tables.vaccinations
    waiting = {one["record_id"] for one in doses.find_by_prefix("awaits_upload", "", 200)}
    judged = {one for states in _GROUPS.values() for state in states for one in doses.ids_by("upload_state", state)}
    exported = set(doses.ids_by("upload_state", UploadState.EXPORTED))
    return waiting | judged | exported | {one["record_id"] for _, one in conflicting_records(tables)}


def differences(desk: Desk) -> dict[str, tuple[str, str, str]]:
    """Records of which CDC holds something else than staff said last: what, and how the hub thinks they stand."""
    return {
        record_id: (desk.cdcs.held(record_id), said, desk.state(record_id))
        for record_id, said in desk.said.items()
        if desk.cdcs.held(record_id) != said
    }


async def test_a_dose_of_a_batch_that_cdc_forgot_is_deleted_there_when_it_is_voided(tmp_path: Path) -> None:
    one, other = RECORDS[:2]
    desk = await _clinic(tmp_path)
    await desk.do("record", one)
    await desk.do("record", other)
    await desk.go_on(60, "", "missing", "unknown_batch")  # one of them is verified, and the other never heard of
    lost = next(record_id for record_id in (one, other) if desk.state(record_id) == "refused")
    assert desk.cdcs.held(lost)
    await desk.do("correct", lost)
    assert lost not in {dose["record_id"] for dose in waiting_for_export(desk.tables, None)}

    await desk.do("void", lost)
    await desk.come_to_rest()

    assert (desk.state(lost), desk.cdcs.held(lost)) == ("verified", "")


_Scene = tuple[str, str, int, list[str]]
_SCENES = st.tuples(
    st.sampled_from(WORK),
    st.sampled_from(RECORDS[:3]),
    st.sampled_from(MINUTES),
    st.lists(st.sampled_from(BEHAVIOURS), max_size=3),
)


@settings(max_examples=250)
@given(st.lists(_SCENES, min_size=4, max_size=20))
def test_cdc_holds_at_last_what_the_clinic_says_or_the_difference_is_listed(story: list[_Scene]) -> None:
    asyncio.run(_play(story))


async def _play(story: list[_Scene]) -> None:
    with TemporaryDirectory() as folder:
        desk = await _clinic(Path(folder))
        for work, record_id, minutes, coming in story:
            await desk.do(work, record_id)
            await desk.go_on(minutes, *coming)
        await desk.come_to_rest()
        found = differences(desk)
        assert found.keys() <= listed(desk.tables), {one: found[one] for one in found.keys() - listed(desk.tables)}
        desk.cdcs.real.holdings.close()


async def _clinic(folder: Path) -> Desk:
    desk = Desk(folder)
    await desk.open()
    patient = make_patient().model_dump(mode="json", exclude={"record_id"})
    await desk._commit(ChangeDraft(ChangeKind.REGISTER_PATIENT, PATIENT_ID, patient))
    return desk
