"""English: practice mode on one device."""

from ui.wording.zh_tw.practice import *

PRACTICE_MODE = "Practice mode"
PRACTICE_MENU = "Try it out with made-up patients and vaccines; nothing is sent"
PRACTICE_BAND = "PRACTICE MODE: the data are made up; nothing is sent to the hub or to CDC"
PRACTICE_PAGE_TITLE = "[PRACTICE] {title}"
PRACTICE_LINK = "practice, not connected"
PRACTICE_INTRO = (
    "New colleagues can practise with made-up patients, lots and stock, on exactly the screens of real work. "
    "Practice data are kept apart and are never sent to the hub or to CDC; real data are not touched. "
    "All windows of this device switch together."
)
PRACTICE_START = "Start practice"
PRACTICE_START_QUESTION = "Start practice mode? All windows of this device switch: save what you are typing first."
PRACTICE_UNSENT = (
    "{count} real entries on this device have not reached the hub yet: they stay on this device, are not sent during "
    "practice, and are sent by themselves after you leave it."
)
PRACTICE_IS_ON = (
    "This is practice mode: patients, lots and stock are made up. Some 20 seconds after an upload the practice verdict "
    "comes; a lot that is not registered is refused, so that you can practise correcting it. Real data have not "
    "changed; they sync again after you leave."
)
PRACTICE_LEAVE = "Leave practice"
PRACTICE_LEAVE_QUESTION = (
    "Leave practice mode and go back to real work? All practice data are deleted; real data are not touched."
)
PRACTICE_FAILED = "Practice mode could not be switched. Close the other windows and try again."
PRACTICE_FILE = "practice-{name}"
