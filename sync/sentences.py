"""What the hub says to staff before there is a screen: each sentence with its remedy, in Chinese and in English.

They live here and not in `ui/wording.py`, since `sync` may not import `ui`; those of the set-up are in
bootstrap/refusal.py.
"""

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
        "目前只能在本機使用，因為區域網路的加密與登入尚未啟用。請寫 127.0.0.1。",
        "only this computer may be served until encryption and sign-in for the network are built. Write 127.0.0.1.",
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
    # ---- backup, restore, check
    "no_store": (
        "{folder} 裡沒有本版本的資料。請檢查 data_dir；若是舊版資料，請先啟動工作站一次。",
        "There is no data of this version in {folder}. Check data_dir; if it is of an older version, start the hub"
        " once.",
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
