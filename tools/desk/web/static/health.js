// How wearables and the desk itself are, and what was not understood. Owns those panels; gateways: installations.js.

import { lookButton } from "./care.js";
import { shortHandle } from "./card.js";
import { byId, el, fill } from "./elements.js";
import { isAway } from "./installations.js";
import { at } from "./time.js";
import { has, language, word } from "./words.js";

const LOW_PERCENT = 20;
const LINES_MOST = 200;
const SILENT = ["heard", "overdue", "missing"];

let wearables = [];
let counted = { all: 0, silent: 0 };
let faults = [];
let care = new Map();

/** Everything that is polled: wearables, faults, and what each wearable and its gateways live by. */
export function putPolled(some, someFaults, someCare) {
  wearables = some.wearables ?? [];
  counted = some.wearables_counted ?? counted;
  faults = someFaults;
  care = new Map(someCare.map((each) => [each.wearable, each]));
}

/** Draw them. buttons.look(wearable): what the button at each wearable does. */
export function drawPolled(buttons) {
  const { all, silent } = counted;
  const title = [word("desk.page.wearables", { n: all }), silent > 0 && el("em", "", {}, word("desk.page.wearables.silent", { n: silent }))];
  // Who has not been heard for longest first.
  const sorted = [...wearables].sort((a, b) => SILENT.indexOf(b.state) - SILENT.indexOf(a.state) || (a.state === "heard" ? a.wearable.localeCompare(b.wearable) : Date.parse(a.heard_at) - Date.parse(b.heard_at)));
  fill("wearables", title, sorted.slice(0, LINES_MOST).map((row) => wearableLine(row, buttons)), true);
  fill("faults", [word("desk.page.faults", { n: faults.length })], faults.map(faultLine), faults.length > 0);
}

/** Which versions are kept here, and whether gateways and the wearable live by them. */
function careLine(row) {
  const kept = care.get(row.wearable);
  if (!kept) return null;
  const own = row.settings ?? kept.lives_by.settings_version;
  const plan = kept.plan_version === null ? null : half("plan", kept.plan_version, kept.gateways.filter((each) => each.plan_version !== kept.plan_version).map((each) => `${each.gateway}: ${each.plan_version ?? "–"}${each.reason ? ` (${each.reason})` : ""}`));
  const settings = kept.settings_version === null ? null : half("settings", kept.settings_version, own === kept.settings_version ? [] : [`${shortHandle(row.wearable)}: ${own ?? "–"}`]);
  const whose = kept.beneficiary && el("i", "", {}, word(`desk.page.beneficiary.${kept.beneficiary}`));
  return el("p", "care", {}, whose, plan, settings);
}

const half = (name, version, others) =>
  el("span", others.length ? "waits" : "lived", { title: [version, ...others].join("\n") },
    word(`desk.page.care.${name}`, { version: `…${String(version).slice(-5)}` }), others.length > 0 && ` ${word("desk.page.care.waits")}`);

/** Which of its parts have failed, in words; one that a later gateway names stands there as it is. "" where all work. */
const partsOut = (row) =>
  (row.parts_out ?? []).map((part) => (has(`desk.page.wearable.part.${part}`) ? word(`desk.page.wearable.part.${part}`) : part)).join(word("desk.page.wearable.part.between"));

function wearableLine(row, buttons) {
  // One that has sent events and no heartbeat yet says nothing of its battery.
  const battery = row.battery_percent ?? null;
  const low = battery !== null && battery <= LOW_PERCENT;
  const worn = row.worn === false ? word("desk.page.wearable.not_worn") : "";
  const out = partsOut(row);
  const said = [battery === null ? "" : `${battery} %`, row.firmware, worn].filter(Boolean).join(" · ");
  return el(
    "div", `line is-${row.state}${low || row.flash_failed || out ? " is-lost" : ""}`, { title: row.wearable },
    el("b", "mono", {}, shortHandle(row.wearable)),
    el("span", "", {}, said, row.state !== "heard" && el("em", "", {}, word(isAway(row) ? "desk.page.wearable.gateway_away" : `desk.page.wearable.${row.state}`)),
      row.flash_failed && el("em", "", {}, word("desk.page.wearable.flash_failed")),
      out !== "" && el("em", "", {}, word("desk.page.wearable.parts_out", { parts: out }))),
    el("time", "", { data: { since: Date.parse(row.heard_at) } }),
    careLine(row), lookButton(row.wearable, buttons),
  );
}

function faultLine(fault) {
  return el(
    "details", "fault", {},
    el("summary", "", {}, `${fault.why} `, el("time", "", {}, at(fault.at, language))),
    el("code", "", {}, `${fault.topic}\n${fault.payload}`),
  );
}

/** The header's lamp and the banners: said only while something is wrong. */
export function drawDesk(desk, live) {
  const link = byId("link");
  link.className = `link ${live ? "live" : "dead"}`;
  link.textContent = live ? word("desk.page.link.live") : word("desk.page.link.dead");
  const alerts = [];
  if (!live) alerts.push(el("p", "alert", {}, word("desk.page.alert.page")));
  if (live && desk && !desk.connected) alerts.push(el("p", "alert", {}, word("desk.page.alert.broker")));
  if (live && desk && desk.connected && desk.brokers_away.length) {
    alerts.push(el("p", "alert", {}, word("desk.page.alert.one_broker", { names: desk.brokers_away.join(", ") })));
  }
  if (live && desk && !desk.store) alerts.push(el("p", "alert", {}, word("desk.page.alert.store")));
  if (live && desk && desk.drill !== "off") alerts.push(el("p", "alert drill", {}, word("desk.page.alert.drill", { mode: word(`desk.page.drill.${desk.drill}`) })));
  byId("alerts").replaceChildren(...alerts);
}
