"""English: staff accounts and enrolled devices, for managers."""

from store.access_protocol import AccessProblem
from store.roles import Role
from ui.wording.zh_tw.access import *

MANAGING = "Staff and devices"
MANAGING_MENU = "Accounts and roles, tablets enrolled or turned off"
MANAGING_BEGIN = "No manager's account yet"
FIRST_START = (
    "First start: make the manager's account, so that each person has a PIN and tablets can be enrolled; then import "
    "the roster of patients and fill in the clinic's settings."
)
MANAGING_NOT_YOU = "A manager looks after staff and devices."
MANAGING_NOT_HERE = "There are no staff and devices in practice mode. Leave it first."
MANAGING_NO_HUB = "The hub cannot be reached. Staff and devices are kept there; try again when it can."
MANAGING_STAFF = "Staff accounts"
MANAGING_STAFF_HINT = (
    "Everybody signs in on devices with an account of their own. Turn off who has left, records stay as they are; an "
    "account unused for 90 days turns itself off."
)
MANAGING_DEVICES = "Enrolled devices"
MANAGING_DEVICES_HINT = (
    "Turn a lost device off at once: at its next contact it hands over what it holds, then wipes itself."
)
ACCOUNT_COLUMNS = {
    "staff_id": "Staff id", "roles": "Roles", "standing": "State", "last_used_at": "Last used",
    "devices": "Signed in on",
}  # fmt: skip
ACCOUNT_NEW = "Add a person"
ACCOUNT_ID = "Staff id (to sign in; never changes)"
ACCOUNT_PASSWORD = "Password (10 characters at least)"
ACCOUNT_RESET = "New password (empty: as it is)"
ACCOUNT_ACTIVE = "Account on"
ACCOUNT_ON = "on"
ACCOUNT_OFF = "off"
ACCOUNT_UNUSED = "off, unused for 90 days"
ACCOUNT_NEVER = "never signed in"
ROLE_NAME = {
    Role.RECORDER: "recording", Role.VACCINATOR: "vaccinating", Role.STOCK_KEEPER: "stock", Role.MANAGER: "managing",
}  # fmt: skip
ROLE = {
    Role.RECORDER: "Recording: patients, doses, exams, rosters, outage files",
    Role.VACCINATOR: "Vaccinating: patients, doses, exams",
    Role.STOCK_KEEPER: "Stock: lots, vials, stock with CDC",
    Role.MANAGER: "Managing: all of it, and settings, staff and devices",
}
DEVICE_COLUMNS = {
    "name": "Name", "standing": "State", "staff": "Staff", "enrolled": "Enrolled", "last_sync_at": "Last sync",
    "unsent": "Not sent", "kept": "Browser keeps", "build": "Version",
}  # fmt: skip
DEVICE_NEW = "Enrol a device"
DEVICE_NAME = "Name of the device"
DEVICE_NAME_MISSING = "Give the device a name."
DEVICE_THIS = "{name} (this one)"
DEVICE_IN_USE = "in use"
DEVICE_OFF = "turned off {day} by {who}, not heard of since"
DEVICE_WIPED = "turned off and wiped {day}"
DEVICE_KEPT = "yes"
DEVICE_NOT_KEPT = "not promised"
DEVICE_KEPT_BY_ANSWER = {True: DEVICE_KEPT, False: DEVICE_NOT_KEPT, None: ""}
DEVICE_TURN_OFF = "Turn this device off"
DEVICE_TURN_OFF_QUESTION = (
    "Turn “{name}” off? At its next contact it hands over what is not sent, then wipes itself; it has to be enrolled "
    "again to be used."
)
CODE_TITLE = "Type this code on the new device"
CODE_SCAN = "Or scan this with it (a tablet is connected first, see the clinic's page for tablets):"
CODE_NO_LAN = (
    "The hub does not serve the clinic's network yet: only the clinic PC can be enrolled. Open [lan] in its settings."
)
CODE_LEFT = "{time} left"
CODE_OVER = "The code is out of date. Close this and make another."
ACCESS_PROBLEM = {
    AccessProblem.STAFF_ID_FORM: "1 to 20 letters, digits, points, hyphens or underscores.",
    AccessProblem.STAFF_ID_RESERVED: "The program itself uses this id. Choose another.",
    AccessProblem.STAFF_ID_TAKEN: "This id, or one that looks the same, is there already.",
    AccessProblem.STAFF_UNKNOWN: "There is nobody of this id.",
    AccessProblem.PASSWORD_SHORT: "A password has at least 10 characters.",
    AccessProblem.PASSWORD_PLAIN: "This password is easily guessed. Choose another.",
    AccessProblem.PASSWORD_WRONG: "The present password is wrong.",
    AccessProblem.ROLE_MISSING: "Choose at least one role.",
    AccessProblem.LAST_MANAGER: "There has to be a manager whose account is on.",
    AccessProblem.TOO_MANY: "There are as many accounts as there may be.",
}
