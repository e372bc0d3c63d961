"""English: the lock: whose desk it is, the PIN, the idle time."""

from ui.wording.zh_tw.lock import *

LOCK_NOW = "{staff_id}: lock, or change over"
LOCK_TITLE = "Unlocking and locking by itself"
LOCK_WHO = "At the desk: {staff_id}"
LOCK_INTRO = (
    "Tap the padlock above before you leave. Locked, the data is encrypted; what is half typed is kept and goes on "
    "after unlocking."
)
LOCK_NONE = (
    "Nobody signs in on this device, and only the clinic PC can be used. Once there is a manager's account everybody "
    "unlocks with a PIN, tablets work from the clinic's network, and the data on devices is encrypted. Do this on the "
    "clinic PC."
)
LOCK_BEGIN = "Make the manager's account"
LOCK_CHANGE_PIN = "Change my PIN"
LOCK_IDLE_LABEL = "Lock after no touch for"
LOCK_IDLE = {60: "1 minute", 120: "2 minutes", 180: "3 minutes", 300: "5 minutes", 600: "10 minutes"}
LOCK_SECONDS = "{seconds} seconds"
ENROL_DEVICE = "Enrol this device"
PASSWORD_CHANGE = "Change my password"
PASSWORD_OLD = "Present password"
PASSWORD_NEW = "New password (at least 10 characters)"
PASSWORD_AGAIN = "New password once more"
PASSWORDS_DIFFER = "The two passwords differ; please type it again."
PASSWORD_CHANGED = "The password is changed. On other devices sign in once with the new one."
VIEW_ONLY = "View only {waiting}"
VIEW_ONLY_PAGE = "The role of “{staff_id}” may only look at this screen. To record, change hands or ask a manager."
