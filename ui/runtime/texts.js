// Every sentence the shell says, in each language, and which of them it speaks; Python's sentences are in ui/wording.
// The choice must be known before Python runs, so it is kept here.
const KEPT_AS = "desk-language";
const BY_LANGUAGE = {
  "zh-TW": {
    product: "疫苗接種工作站",
    starting: "啟動中…",
    downloading: (done, total) => `第一次使用，下載中 ${done}／${total}`,
    rebuilding: (done, total) => `更新後首次啟動，整理查詢索引中 ${done}／${total} 筆，請稍候`,
    sealing: (percent) => `正在加密此裝置上的資料 ${percent}%，請稍候`,
    filling: (percent) => `正在準備離線使用 ${percent}%，完成前請勿離開診所網路`,
    updateReady: "新版本已備妥（更新時所有視窗會重新載入，請先儲存輸入中的資料）",
    update: "更新",
    retry: "再試一次",
    repairing: "檢查並修復程式檔案中…",
    export: "匯出資料",
    exportNothing: "此裝置上沒有資料。",
    exportFailed: (reason) => `無法匯出：${reason}`,
    exported: "已匯出。請妥善保管此檔，內含個人資料。",
    rollback: "回到上一版",
    leavePractice: "離開練習模式",
    details: "詳細資訊",
    failed: {
      insecure: "此網址不是安全連線，無法啟動。請改用 https:// 或在診所電腦上以 localhost 開啟。",
      install_failed: "程式檔案下載不完整，請確認網路後再試一次。",
      bundle_missing: "缺少程式檔案，請確認網路後再試一次。",
      bundle_damaged: "程式檔案損毀，請再試一次以修復。",
      stalled: "啟動逾時，沒有任何進展。",
      python_error: "程式啟動時發生錯誤。",
      wasm_failed: "此瀏覽器無法載入程式核心（WebAssembly）。",
      worker_failed: "程式意外停止。",
      storage_busy: "資料檔正被其他視窗或程式使用，請關閉其他視窗後再試一次。",
      storage_unavailable: "無法開啟此裝置上的資料檔。為避免資料遺漏，程式不會以空白資料啟動。",
      storage_conflict: "此裝置上有兩份資料檔，無法判斷何者為準。請先匯出資料並聯絡支援人員。",
      storage_sealed: "此裝置上的資料已加密，無法以目前的金鑰開啟。資料未變動，請聯絡管理者。",
    },
    failedOther: "程式無法啟動。",
  },
  "en-US": {
    product: "Vaccination Desk",
    starting: "Starting…",
    downloading: (done, total) => `First use: downloading ${done} of ${total}`,
    rebuilding: (done, total) => `First start after an update: preparing the search, ${done} of ${total} records, please wait`,
    sealing: (percent) => `Encrypting this device's data ${percent}%, please wait`,
    filling: (percent) => `Preparing for offline use ${percent}%; do not leave the clinic's network until it is done`,
    updateReady: "A new version is ready (updating reloads every window; save what you are typing first)",
    update: "Update",
    retry: "Try again",
    repairing: "Checking and repairing the program's files…",
    export: "Export data",
    exportNothing: "There is no data on this device.",
    exportFailed: (reason) => `Could not export: ${reason}`,
    exported: "Exported. Keep this file safe: it holds personal data.",
    rollback: "Back to the last version",
    leavePractice: "Leave practice mode",
    details: "Details",
    failed: {
      insecure: "This address is not secure, so the program cannot start. Use https://, or localhost on the clinic PC.",
      install_failed: "The program was not downloaded completely. Check the network and try again.",
      bundle_missing: "Files of the program are missing. Check the network and try again.",
      bundle_damaged: "Files of the program are damaged. Try again to repair them.",
      stalled: "The start took too long; nothing went forward.",
      python_error: "The program met an error while starting.",
      wasm_failed: "This browser cannot load the program's core (WebAssembly).",
      worker_failed: "The program stopped unexpectedly.",
      storage_busy: "Another window or program is using the data file. Close the others and try again.",
      storage_unavailable: "This device's data file cannot be opened. So that nothing is missed, the program will not start with empty data.",
      storage_conflict: "There are two data files on this device, and it is not clear which one counts. Export the data and call support.",
      storage_sealed: "The data on this device is encrypted, and the key at hand does not open it. Nothing was changed; call the manager.",
    },
    failedOther: "The program cannot start.",
  },
};

export let TEXTS = BY_LANGUAGE["zh-TW"];

// What staff chose on this device, null where nobody has.
export function keptLanguage() {
  try { return localStorage.getItem(KEPT_AS); } catch { return null; } // storage forbidden: the start will tell why it fails
}

export function keepLanguage(language) {
  localStorage.setItem(KEPT_AS, language);
}

export function speak(language) {
  const known = language in BY_LANGUAGE ? language : "zh-TW";
  TEXTS = BY_LANGUAGE[known];
  document.documentElement.lang = known;
}
