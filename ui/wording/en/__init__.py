"""Every sentence of the screens in English, under the names of `ui/wording/zh_tw`.

Each room takes its names from there first: so the types are compared, and a sentence that only Chinese has yet is shown
in Chinese.
"""

from ui.wording.en.access import *
from ui.wording.en.audit import *
from ui.wording.en.conflicts import *
from ui.wording.en.device import *
from ui.wording.en.frame import *
from ui.wording.en.history import *
from ui.wording.en.lock import *
from ui.wording.en.lots import *
from ui.wording.en.outage import *
from ui.wording.en.patients import *
from ui.wording.en.practice import *
from ui.wording.en.prenatal import *
from ui.wording.en.problems import *
from ui.wording.en.receipts import *
from ui.wording.en.recording import *
from ui.wording.en.roster import *
from ui.wording.en.settings import *
from ui.wording.en.stock import *
from ui.wording.en.uploads import *
