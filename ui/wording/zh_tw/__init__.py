"""Every sentence of the screens in zh-TW; `ui/wording/en` says the same under the same names.

Only the runtime's shell has sentences elsewhere (ui/runtime/texts.js): it must speak before Python runs.
"""

from ui.wording.zh_tw.access import *
from ui.wording.zh_tw.audit import *
from ui.wording.zh_tw.conflicts import *
from ui.wording.zh_tw.device import *
from ui.wording.zh_tw.frame import *
from ui.wording.zh_tw.history import *
from ui.wording.zh_tw.lock import *
from ui.wording.zh_tw.lots import *
from ui.wording.zh_tw.outage import *
from ui.wording.zh_tw.patients import *
from ui.wording.zh_tw.practice import *
from ui.wording.zh_tw.prenatal import *
from ui.wording.zh_tw.problems import *
from ui.wording.zh_tw.receipts import *
from ui.wording.zh_tw.recording import *
from ui.wording.zh_tw.roster import *
from ui.wording.zh_tw.settings import *
from ui.wording.zh_tw.stock import *
from ui.wording.zh_tw.uploads import *
