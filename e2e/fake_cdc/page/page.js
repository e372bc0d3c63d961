"use strict";

const SCENARIO_NAMES = {
  normal: "正常", slow: "緩慢", time_out: "逾時不答", drop_before_storing: "儲存前斷線", drop_after_storing: "儲存後斷線",
  error_500: "500 錯誤", error_503_retry_after: "503 稍後再試", html_instead_of_json: "回 HTML", truncated_json: "JSON 截斷",
  wrong_charset: "編碼錯誤", rate_limit_429: "429 過於頻繁", unauthorized_401: "401 金鑰失效", refuse_batch: "整批退回",
  refuse_row: "單筆退回", month_closed: "月份已結算", processing_202: "處理中", entry_missing: "缺一筆結果", unknown_code: "未知代碼",
  history_unknown_vaccine: "多一筆未知疫苗", history_missing_lot: "多一筆沒有批號", history_before_birth: "多一筆早於出生",
  history_unreadable_date: "多一筆看不懂的日期",
};
const STATE_NAMES = { processing: "處理中", held: "已收錄", voided: "已刪除", refused: "未收錄" };
const KIND_NAMES = { upload: "上傳", confirm: "檢核查詢", stock: "庫存下載", history: "接種查詢" };
const REFRESH_MS = 1500;

const $ = (id) => document.getElementById(id);
let scenarios = {};
let down = false;

async function call(method, path, body) {
  const options = { method };
  if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(path, options);
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

async function pull(method, path, body) {
  $("problem").textContent = "";
  try {
    await call(method, path, body);
    await refresh();
  } catch (error) {
    $("problem").textContent = String(error.message);
  }
}

function cells(row, values, classes = {}) {
  values.forEach((value, index) => {
    const cell = row.insertCell();
    cell.textContent = value ?? "";
    if (classes[index]) cell.className = classes[index];
  });
}

function fill(body, rows) {
  const fresh = document.createElement("tbody");
  for (const [values, classes] of rows) cells(fresh.insertRow(), values, classes);
  body.replaceChildren(...fresh.rows);
}

function recordRow([key, record]) {
  const shown = record.last_resource ?? record.current?.resource ?? record.versions.findLast((one) => one.resource)?.resource;
  const refusal = record.last_refusal;
  const told = record.state === "processing" ? "" : refusal ? `${refusal.code} ${refusal.text}` : "";
  return [
    [key, shown?.vaccineCode?.coding?.[0]?.code, shown?.protocolApplied?.[0]?.doseNumberString, shown?.lotNumber,
      STATE_NAMES[record.state], record.stored_versions, record.uploads, told],
    { 0: "key", 4: record.state, 7: told ? "refused" : "" },
  ];
}

function requestRow(one) {
  const time = new Date(one.at * 1000).toLocaleTimeString("zh-TW", { hour12: false });
  return [[time, one.method, one.path, SCENARIO_NAMES[one.scenario] ?? one.scenario, one.status, one.body_sha256.slice(0, 12)],
    { 2: "key", 5: "key" }];
}

function showScenarioButtons() {
  const kind = $("kind").value;
  $("scenarios").replaceChildren(...Object.keys(scenarios).filter((name) => scenarios[name].includes(kind)).map((name) => {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.scenario = name;
    button.textContent = SCENARIO_NAMES[name] ?? name;
    button.addEventListener("click", () => pull("POST", "/control/scenarios", order(name)));
    return button;
  }));
}

function order(scenario) {
  const times = $("times").value;
  const rule = { kind: $("kind").value, scenario, times: times === "" ? null : Number(times) };
  if ($("seconds").value !== "") {
    rule.seconds = Number($("seconds").value);
    rule.retry_after = Math.ceil(rule.seconds);
  }
  for (const name of ["record_key", "lot_number", "code", "text"]) {
    if ($(name).value.trim() !== "") rule[name] = $(name).value.trim();
  }
  return rule;
}

async function refresh() {
  const [state, records, requests] = await Promise.all([
    call("GET", "/control/state"), call("GET", "/control/records?limit=200"), call("GET", "/control/requests?limit=50"),
  ]);
  if (Object.keys(scenarios).length === 0) {
    scenarios = state.scenarios;
    showScenarioButtons();
  }
  down = state.down;
  $("down").setAttribute("aria-pressed", String(down));
  $("down").textContent = down ? "恢復連線" : "中斷所有連線";
  if (document.activeElement !== $("verify_after")) $("verify_after").value = state.verify_after;
  $("summary").textContent = `紀錄 ${state.records} 筆，批次 ${state.batches} 個${down ? "，連線中斷中" : ""}`;
  $("rules").textContent = state.rules.map((rule) =>
    `${KIND_NAMES[rule.kind]}：${SCENARIO_NAMES[rule.scenario]}(${rule.times === null ? "直到清除" : `${rule.times} 次`})`,
  ).join("、") || "無";
  fill($("records"), Object.entries(records.records).map(recordRow));
  fill($("requests"), requests.requests.map(requestRow));
}

async function keepFresh() {
  try {
    await refresh();
  } catch {
    $("summary").textContent = "假 CDC 沒有回應";
  }
  setTimeout(keepFresh, REFRESH_MS);
}

$("kind").addEventListener("change", showScenarioButtons);
$("order").addEventListener("submit", (event) => event.preventDefault());
$("clear").addEventListener("click", () => pull("DELETE", "/control/scenarios"));
$("down").addEventListener("click", () => pull("POST", "/control/down", { down: !down }));
$("delay").addEventListener("submit", (event) => {
  event.preventDefault();
  pull("POST", "/control/verify_after", { seconds: Number($("verify_after").value) });
});
$("history").addEventListener("submit", (event) => {
  event.preventDefault();
  const odd = $("history_odd").value;
  const person = { value: $("history_value").value.trim(), birth_date: $("history_birth").value };
  pull("POST", "/control/history", odd === "" ? person : { ...person, odd });
});
$("reset").addEventListener("click", () => {
  if (confirm("清空假 CDC 的全部資料？")) pull("POST", "/control/reset");
});
keepFresh();
