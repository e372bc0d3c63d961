"""What the hub says to staff before there is a screen: each sentence with its remedy, in Chinese and in English.

They live here and not in `ui/wording.py`, since `sync` may not import `ui`; those of the set-up are in
bootstrap/refusal.py.
"""

from store.access_protocol import MIN_PASSWORD, AccessProblem

SENTENCES: dict[str, tuple[str, str]] = {
    # ---- one setting
    "missing": (
        "缺少這項設定。請在設定檔寫入，或設定環境變數 {env}。",
        "this setting is missing. Write it into the settings file or set {env}.",
    ),
    "unknown": (
        "沒有這項設定，可能拼錯了。請改正或刪除（可用：{names}）。",
        "there is no such setting, perhaps a slip. Correct or remove it (there are: {names}).",
    ),
    "invalid": ("值不正確，應為{rule_zh}。請改正。", "the value is not valid. Write {rule_en}."),
    "settings_unreadable": (
        "設定檔 {path} 無法讀取（{reason}）。請用 UTF-8 文字檔並依 TOML 格式改正。",
        "the settings file {path} cannot be read ({reason}). Save it as UTF-8 text and correct the TOML.",
    ),
    "file_missing": (
        "檔案 {path} 不存在或無法讀取。請放置該檔，或改正路徑。",
        "the file {path} is not there or cannot be read. Put it there or correct the path.",
    ),
    "file_empty": ("檔案 {path} 是空的。請寫入內容。", "the file {path} is empty. Write the secret into it."),
    "file_not_private": (
        "其他使用者也能讀取檔案 {path}。請執行 chmod 600 該檔。",
        "other users may read the file {path}. Run chmod 600 on it.",
    ),
    "certificate_does_not_open": (
        "無法用 certificate_password_file 的密碼開啟憑證，或檔案不是含 RSA 私鑰的 PKCS#12。請檢查兩個檔案。",
        "the password in certificate_password_file does not open it, or it is no PKCS#12 with an RSA key."
        " Check both files.",
    ),
    "not_this_computer": (
        "這裡只能是本機位址，因為不加密。請寫 127.0.0.1；平板請用 [lan] 區段。",
        "only this computer may be served here, since it is not encrypted. Write 127.0.0.1; tablets have the section"
        " [lan].",
    ),
    "own_certificate_incomplete": (
        "憑證與私鑰要一起設定。請寫入 certificate_file 與 key_file，或兩個都刪除。",
        "a certificate and its key go together. Write both certificate_file and key_file, or neither.",
    ),
    "own_certificate_unreadable": (
        "{path} 不是 PEM 格式的憑證。請放置以 -----BEGIN CERTIFICATE----- 開頭的檔案。",
        "{path} is no certificate in PEM. Put a file there that begins with -----BEGIN CERTIFICATE-----.",
    ),
    "own_key_unreadable": (
        "{path} 不是 PEM 格式的私鑰，或私鑰有密碼。請放置沒有密碼的 PEM 私鑰。",
        "{path} is no private key in PEM, or it is under a password. Put a PEM key without a password there.",
    ),
    "own_key_mismatch": (
        "私鑰 {path} 與憑證 {certificate} 不是一對。請放置申請這張憑證時的私鑰。",
        "The key {path} does not belong to the certificate {certificate}. Put the key there that the certificate was"
        " made for.",
    ),
    # ---- starting
    "data_in_use": (
        "資料夾 {folder} 正由另一個工作站程式使用。請使用已開啟的那一個，或先關閉它再執行一次。",
        "Another hub is using the data in {folder}. Use that one, or close it and try again.",
    ),
    "journal_too_new": (
        "資料 {path} 由較新版本的程式寫入，未做任何更動。請改用新版程式。",
        "The data in {path} was written by a newer version; nothing was changed. Start the newer program.",
    ),
    "journal_unreadable": (
        "{path} 不是本程式的資料檔，未做任何更動。請檢查 data_dir，或還原備份。",
        "{path} is not a data file of this program; nothing was changed. Check data_dir or restore a backup.",
    ),
    "storage_full": (
        "磁碟空間不足，無法開啟 {path}。請清出空間後再執行一次。",
        "The disk is full, so {path} cannot be opened. Free some space and try again.",
    ),
    "storage_failed": (
        "無法讀寫 {path}。請檢查磁碟與資料夾權限後再執行一次。",
        "{path} cannot be read and written. Check the disk and the folder's permissions and try again.",
    ),
    "access_unreadable": (
        "人員與裝置檔 {path} 已損壞，或由較新版本的程式寫入，未做任何更動。請還原備份；不要刪除它，"
        "否則這台電腦上的任何人都能使用。",
        "The file of staff and devices {path} is damaged, or a newer version wrote it; nothing was changed. Restore a"
        " backup; do not delete it, since the hub would then be open to everybody at this computer.",
    ),
    # ---- the clinic's network
    "lan_is_for_trying": (
        "注意：區域網路已開放試用。還沒有主管帳號，網路上的任何人都能讀取與寫入，請勿放真實病人資料。",
        "Note: the network is served for trying out. There is no manager's account yet: anybody on it can read and"
        " write, so keep no real patients here.",
    ),
    "lan_needs_accounts": (
        "區域網路尚未開放：請先在這台電腦的瀏覽器建立第一個主管帳號，之後會自動開放。",
        "The network is not served yet: first make the manager's account in this computer's browser; then it is served"
        " by itself.",
    ),
    "lan_no_address": (
        "這台電腦目前沒有 {networks} 裡的位址。請檢查網路線或 Wi-Fi，或改正 lan.listen；接上後會自動開放。",
        "This computer has no address in {networks} now. Check its cable or Wi-Fi, or correct lan.listen; it is served"
        " by itself once there is one.",
    ),
    "lan_port_taken": (
        "{address} 的連接埠 {port} 無法使用，可能被其他程式占用。請關閉該程式，或改 lan.port、lan.trust_port。",
        "Port {port} of {address} cannot be used, perhaps because of another program. Close that, or change lan.port or"
        " lan.trust_port.",
    ),
    "ca_missing": (
        "診所憑證 {path} 不見了，但平板信任的是它。請從備份放回；若確定找不回，請刪除資料夾 {folder}，"
        "會產生新的，但每台平板都要重新信任。",
        "The clinic's CA {path} is gone, but it is the one that tablets trust. Put it back from a copy; if there is"
        " none, delete the folder {folder}: a new one is made, and every tablet has to be told to trust that one.",
    ),
    "ca_unreadable": (
        "診所憑證 {path} 已損壞，但平板信任的是它。請從備份放回；若確定找不回，請刪除資料夾 {folder}，"
        "會產生新的，但每台平板都要重新信任。",
        "The clinic's CA {path} is damaged, but it is the one that tablets trust. Put it back from a copy; if there is"
        " none, delete the folder {folder}: a new one is made, and every tablet has to be told to trust that one.",
    ),
    "ca_expired": (
        "診所憑證 {path} 已於 {until} 到期。請檢查電腦日期；若日期正確，請刪除資料夾 {folder}，"
        "會產生新的，每台平板都要重新信任。",
        "The clinic's CA {path} ended on {until}. Check this computer's date; if it is right, delete the folder"
        " {folder}: a new one is made, and every tablet has to be told to trust that one.",
    ),
    "ca_does_not_permit": (
        "診所憑證不能用於 {names}，平板無法用它們開啟。請改用其他名稱或位址；若一定要用，請刪除資料夾 {folder}，"
        "會產生新的，每台平板都要重新信任。",
        "The clinic's CA was not made for {names}: tablets cannot open these. Use another name or address; if it must"
        " be one of them, delete the folder {folder}: a new one is made, and every tablet has to be told to trust it.",
    ),
    "clock_wrong": (
        "這台電腦的日期是 {now}，不可能正確。請校正日期與時間。",
        "This computer's date is {now}, which cannot be right. Set its date and time.",
    ),
    "own_certificate_expired": (
        "憑證 {path} 已於 {until} 到期。請換上新的憑證與私鑰，不必重新啟動。",
        "The certificate {path} ended on {until}. Put a new one with its key there; no restart is needed.",
    ),
    "own_certificate_not_yet_valid": (
        "憑證 {path} 從 {since} 起才有效。請檢查電腦日期，或換一張憑證。",
        "The certificate {path} is valid from {since} only. Check this computer's date or use another one.",
    ),
    "own_certificate_for_others": (
        "憑證 {path} 是給 {names} 的，不是這台電腦。請把其中的名稱寫入 allowed_hosts，或換一張憑證。",
        "The certificate {path} is for {names}, not for this computer. Write the name in it into allowed_hosts, or use"
        " another one.",
    ),
    "own_certificate_ends_soon": (
        "憑證 {path} 將於 {until} 到期，之後平板無法連線。請準備新的憑證。",
        "The certificate {path} ends on {until}; tablets cannot connect after that. Have a new one made.",
    ),
    # ---- backup, restore, check
    "no_store": (
        "{folder} 裡沒有本版本的資料。請檢查 data_dir；若是舊版資料，請先啟動工作站一次。",
        "There is no data of this version in {folder}. Check data_dir; if it is of an older version, start the hub"
        " once.",
    ),
    "no_accounts": (
        "{folder} 裡還沒有帳號。請啟動工作站，在瀏覽器建立第一個主管帳號。",
        "There are no accounts in {folder} yet. Start the hub and make the first manager's account in the browser.",
    ),
    "nobody_answers": (
        "需要輸入。請在終端機視窗執行。",
        "Something has to be typed. Run this in a terminal window.",
    ),
    "not_a_backup": (
        "這個檔案不是本程式的備份，未做任何更動。請選擇由 backup 產生的檔案。",
        "The file is not a backup of this program; nothing was changed. Choose one that backup has made.",
    ),
    "backup_damaged": (
        "備份已損壞（{part}），未做任何更動。請改用另一份備份。",
        "The backup is damaged ({part}); nothing was changed. Use another one.",
    ),
    "backup_too_new": (
        "備份由較新版本的程式產生，未做任何更動。請改用新版程式。",
        "A newer version made this backup; nothing was changed. Use the newer program.",
    ),
    "newer_data": (
        "{folder} 的資料比備份新（目前到第 {head} 號，備份到第 {backup_head} 號，{unknown} 筆異動不在備份中），"
        "未做任何更動。若確定不要，請先把其中的 journal.* 與 run.* 移到別處。",
        "The data in {folder} is newer than the backup (it reaches number {head}, the backup {backup_head}, which lacks"
        " {unknown} of its changes); nothing was changed. If it is really not wanted, move its journal.* and run.*"
        " away first.",
    ),
    "store_unsteady": (
        "備份時資料一直在變動（可能磁碟已滿），未產生備份。請清出空間後再執行一次。",
        "The data kept changing while it was copied, perhaps because the disk is full; no backup was made. Free some"
        " space and try again.",
    ),
    # ---- while running
    "storage_full_running": (
        "磁碟已滿：裝置送來的資料暫時無法存入，裝置會保留並自動再送。請清出空間，不必重新啟動。",
        "The disk is full: what devices send cannot be kept now; they keep it and send it again by themselves. Free"
        " some space; no restart is needed.",
    ),
    "storage_failed_running": (
        "磁碟無法寫入：裝置送來的資料暫時無法存入，裝置會保留並自動再送。請檢查磁碟與權限，不必重新啟動。",
        "The disk cannot be written: what devices send cannot be kept now; they keep it and send it again by"
        " themselves. Check the disk and its permissions; no restart is needed.",
    ),
    "storage_well_again": (
        "磁碟恢復正常，資料已可存入。",
        "The disk takes data again.",
    ),
    "host_unknown": (
        "listen_host「{host}」不是本機的位址。請改為 127.0.0.1。",
        "listen_host {host} is not an address of this computer. Write 127.0.0.1.",
    ),
    "demo_cdc_failed": (
        "練習用的疾管署模擬程式無法啟動（詳情：{log}）。請再執行一次；若仍失敗，請刪除 {folder} 後重試。",
        "The practice stand-in for CDC did not start (details: {log}). Try again; if it fails again, delete {folder}.",
    ),
    # ---- pages without a bundle
    "no_bundle": (
        "瀏覽器程式尚未組建。請在這台電腦執行 python3 -m sync，完成後本頁會自動更新。",
        "The browser program has not been built. Run python3 -m sync on this computer; this page reloads by itself.",
    ),
}

# What a check may find damaged: (Chinese, English).
DAMAGES: dict[str, tuple[str, str]] = {
    "record": ("一筆紀錄", "a record"),
    "section": ("一段索引", "an index"),
    "run": ("一個資料檔", "a file of records"),
    "frame": ("日誌的一段", "a stretch of the journal"),
    "numbers": ("遺失的編號", "lost numbers"),
    "store": ("整份資料無法開啟", "the store does not open"),
    "access": ("人員與裝置檔", "the file of staff and devices"),
    "ca": ("診所憑證", "the clinic's CA"),
    "audit": ("稽核紀錄的一處", "a place in the audit"),
}

# Why a password will not do: (Chinese, English).
PASSWORD_PROBLEMS: dict[AccessProblem, tuple[str, str]] = {
    AccessProblem.PASSWORD_SHORT: (f"密碼至少 {MIN_PASSWORD} 個字", f"At least {MIN_PASSWORD} characters, please"),
    AccessProblem.PASSWORD_PLAIN: (
        "太容易猜：不要用重複的字、連續的數字或自己的名字",
        "Too easy to guess: no repeated characters, no row of digits, not the own name",
    ),
}

# What a value must look like, by setting: (Chinese, English).
RULES: dict[str, tuple[str, str]] = {
    "listen_host": ('本機位址，例如 "127.0.0.1"', 'an address of this computer in quotes, such as "127.0.0.1"'),
    "listen_port": ("0 到 65535 的整數", "a whole number from 0 to 65535"),
    "data_dir": ("加引號的資料夾路徑", "a folder in quotes"),
    "bundle_dir": ("加引號的資料夾路徑", "a folder in quotes"),
    "allowed_hosts": ('主機名稱的清單，例如 ["desk.clinic.lan"]', 'a list of host names, such as ["desk.clinic.lan"]'),
    "institution_code": ("加引號的 10 碼醫事機構代碼", "the institution code in quotes: 10 digits or capital letters"),
    "receipts_years": ("7 到 100 的整數（年），傳輸紀錄至少保存 7 年", "a whole number of years from 7 to 100"),
    "practice": ("true 或 false", "true or false"),
    "lan": ("一個 [lan] 區段", "a section [lan]"),
    "lan.listen": ('網段或位址的清單，例如 ["192.168.1.0/24"]', 'a list of networks, such as ["192.168.1.0/24"]'),
    "lan.port": ("1 到 65535 的整數", "a whole number from 1 to 65535"),
    "lan.trust_port": ("1 到 65535 的整數，與 lan.port 不同", "a whole number from 1 to 65535, other than lan.port"),
    "lan.certificate_file": ("加引號的檔案路徑", "a file path in quotes"),
    "lan.key_file": ("加引號的檔案路徑", "a file path in quotes"),
    "cdc": ("一個 [cdc] 區段", "a section [cdc]"),
    "cdc.base_url": ("以 http:// 或 https:// 開頭的網址", "an address that begins with http:// or https://"),
    "cdc.key_id_file": ("加引號的檔案路徑", "a file path in quotes"),
    "cdc.certificate_p12": ("加引號的檔案路徑", "a file path in quotes"),
    "cdc.certificate_password_file": ("加引號的檔案路徑", "a file path in quotes"),
    "cdc.verify_after_seconds": ("0 到 3600 的秒數", "seconds from 0 to 3600"),
    "cdc.gather_seconds": ("0 以上的秒數", "seconds, 0 or more"),
    "cdc.timeout_seconds": ("大於 0 的秒數", "seconds, more than 0"),
    "cdc.batches_per_minute": ("1 到 600 的整數", "a whole number from 1 to 600"),
    "cdc.retry_base_seconds": ("大於 0、至多 3600 的秒數", "seconds, more than 0 and at most 3600"),
    "cdc.retry_cap_seconds": ("大於 0、至多 3600 的秒數", "seconds, more than 0 and at most 3600"),
}


class HubRefused(Exception):
    """The hub cannot start until somebody remedies `code`; see SENTENCES."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts

    def sentences(self) -> str:
        """Say what is wrong and what to do, one line in Chinese, one in English."""
        chinese, english = SENTENCES[self.code]
        return f"無法啟動：{chinese.format(**self.facts)}\nCannot start: {english.format(**self.facts)}"


class ToolRefused(HubRefused):
    """A backup, a restore or a check cannot be done until somebody remedies `code`."""

    def sentences(self) -> str:
        chinese, english = SENTENCES[self.code]
        return f"無法完成：{chinese.format(**self.facts)}\nCannot do this: {english.format(**self.facts)}"


class LanClosed(HubRefused):
    """The clinic's network is not served, or not as it should be, until somebody remedies `code`; the hub runs on."""

    def sentences(self) -> str:
        chinese, english = SENTENCES[self.code]
        return f"區域網路：{chinese.format(**self.facts)}\nNetwork: {english.format(**self.facts)}"
