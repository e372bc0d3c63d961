"""English: lots (BA109)."""

from ui.wording.zh_tw.lots import *

LOT_TYPE = {"1": "1 central", "2": "2 self-paid", "3": "3 locally bought"}
LOTS = "Vaccine lots"
LOTS_WAITING = "Maker missing: {count}"
LOT_STATUS = {"active": "In use", "depleted": "Used up", "recalled": "Recalled"}
LOT_COLUMNS = {
    "vaccine_code": "Vaccine",
    "lot_number": "Lot number",
    "maker_lot_number": "Maker's lot",
    "lot_type": "Lot type",
    "manufacturer": "Maker",
    "expiry_date": "Expires",
    "doses_per_vial": "Doses per vial",
    "status": "State",
}
LOT_SEARCH = "Find a lot: lot number, maker's lot, vaccine code, maker; Enter opens the first"
LOT_ADD = "New (F3)"
LOT_NEW = "New lot"
LOT_EDIT = "Edit lot"
LOT_SAVE = "Save (F9)"
LOT_LEAVE = "Leave (Esc)"
LOTS_COUNT = "Lots: {count}; maker missing: {missing}"
LOTS_FOUND = "Lots found: {count}"
LOTS_MORE = " (the first {limit} only; type a little more)"
LOTS_NONE = (
    "No lots yet. Download CDC stock registers central and locally bought lots by itself; type their makers "
    "afterwards. Register self-paid lots with New."
)
LOTS_NOT_FOUND = "No such lot. Check the number, then register it with New."
LOT_ASK_MANUFACTURER = "⚠ Fill in the maker"
LOT_EXPIRED_MARK = "{day} expired"
LOT_FIELD_LABEL = {
    "lot_number": "Lot number (case matters)",
    "expiry_date": "Expires (e.g. 1160331)",
    "status": "State",
}
LOT_MAKERS = "Makers used"
LOT_SAVED = "Saved: lot {lot_number}"
LOT_UNCHANGED = "Nothing changed"
LOT_ASK_RECALL = (
    "Once recalled, this lot is no longer offered. Doses already given stay as they are; they are listed below."
)
LOT_OPEN_OTHER = "Open the registered lot"
LOT_OTHER_VERSION = "{lot_number}, maker {manufacturer}, expires {expiry_date}, {status}"
LOT_DOSES = "Doses given from this lot: {count}"
LOT_DOSES_MANY = "Doses given from this lot: {count} (voided ones too); the first {limit} are listed"
LOT_DOSES_HERE_ONLY = (
    "This device keeps chosen sessions only. See everyone's doses at the hub or on a device that keeps all patients."
)
