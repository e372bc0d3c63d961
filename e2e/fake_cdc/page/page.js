"use strict";

const SCENARIO_NAMES = {
  normal: "正常", slow: "緩慢", time_out: "逾時不答", drop_before_storing: "儲存前斷線", drop_after_storing: "儲存後斷線",
  error_500: "500 錯誤", error_503_retry_after: "503 稍後再試", html_instead_of_json: "回 HTML", truncated_json: "JSON 截斷",
  wrong_charset: "編碼錯誤", rate_limit_429: "429 過於頻繁", unauthorized_401: "401 金鑰失效", refuse_batch: "整批退回",
  refuse_row: "單筆退回", month_closed: "月份已結算", processing_202: "處理中", entry_missing: "缺一筆結果", unknown_code: "未知代碼",
  history_unknown_vaccine: "多一筆未知疫苗", history_missing_lot: "多一筆沒有批號", history_before_birth: "多一筆早於出生",
  history_unreadable_date: "多一筆看不懂的日期", stock_unknown_vaccine: "未知疫苗代碼",
};
const STATE_NAMES = { processing: "處理中", held: "已收錄", voided: "已刪除", refused: "未收錄" };
const KIND_NAMES = {
  upload: "接種上傳", confirm: "檢核查詢", stock: "庫存下載", consumption: "耗用量上傳", history: "接種查詢", exams: "檢驗結果上傳",
};
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

function examRow([key, resources]) {
  const all = Object.values(resources);
  const report = all.find((one) => one.resourceType === "DiagnosticReport");
  const observations = all.filter((one) => one.resourceType === "Observation");
  const specimen = all.find((one) => one.resourceType === "Specimen");
  const results = observations.map((one) => `${one.code.coding[0].code} ${one.valueCodeableConcept.coding[0].code}`);
  return [[key, report.code.coding[0].display ?? report.code.coding[0].code, observations[0]?.effectiveDateTime,
    specimen?.collection?.collectedDateTime, observations[0]?.method?.coding?.[0]?.code, results.join("、")], { 0: "key" }];
}

function lotRow(lot) {
  return [[lot.identifier, lot.vaccine_code, lot.lot_number, lot.lot_type, lot.vials, lot.expiry_date, lot.doses_per_vial],
    { 0: "key", 2: "key" }];
}

function consumptionRows(one) {
  return one.rows.map((row) => {
    const told = row.refusal ? `${row.refusal.code} ${row.refusal.text}` : "已收下";
    return [[one.identifier, one.times_received, row.identifier, row.vials, row.doses, told],
      { 0: "key", 2: "key", 5: row.refusal ? "refused" : "" }];
  });
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
  if ($("nth").value !== "") rule.nth = Number($("nth").value);
  for (const name of ["record_key", "lot_number", "code", "text", "expression"]) {
    if ($(name).value.trim() !== "") rule[name] = $(name).value.trim();
  }
  return rule;
}

async function refresh() {
  const [state, records, requests, exams, lots, consumptions] = await Promise.all([
    "state", "records?limit=200", "requests?limit=50", "exams", "lots", "consumptions",
  ].map((path) => call("GET", `/control/${path}`)));
  if (Object.keys(scenarios).length === 0) {
    scenarios = state.scenarios;
    // Each kind of request can go well.
    $("kind").replaceChildren(...scenarios.normal.map((kind) => new Option(KIND_NAMES[kind] ?? kind, kind)));
    showScenarioButtons();
  }
  down = state.down;
  $("down").setAttribute("aria-pressed", String(down));
  $("down").textContent = down ? "恢復連線" : "中斷所有連線";
  if (document.activeElement !== $("verify_after")) $("verify_after").value = state.verify_after;
  $("summary").textContent = `接種 ${state.records} 筆，批次 ${state.batches} 個，檢驗結果 ${state.exams} 筆，耗用量 ${state.consumptions} 批${down ? "，連線中斷中" : ""}`;
  $("rules").textContent = state.rules.map((rule) =>
    `${KIND_NAMES[rule.kind]}：${SCENARIO_NAMES[rule.scenario]}(${rule.times === null ? "直到清除" : `${rule.times} 次`})`,
  ).join("、") || "無";
  fill($("records"), Object.entries(records.records).map(recordRow));
  fill($("exams"), Object.entries(exams.exams).slice(-200).reverse().map(examRow));
  fill($("lots"), lots.lots.map(lotRow));
  fill($("consumptions"), consumptions.consumptions.slice(-200).reverse().flatMap(consumptionRows));
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
