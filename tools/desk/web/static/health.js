// How wearables and the desk itself are, and what was not understood. Owns those panels; gateways: installations.js.

import { shortHandle } from "./card.js";
import { byId, el, fill } from "./elements.js";
import { isAway } from "./installations.js";
import { at } from "./time.js";
import { language, word } from "./words.js";

const LOW_PERCENT = 20;
const LINES_MOST = 200;
const SILENT = ["heard", "overdue", "missing"];

let wearables = [];
let counted = { all: 0, silent: 0 };
let faults = [];

/** Everything that is polled: wearables and faults. */
export function putPolled(some, someFaults) {
  wearables = some.wearables ?? [];
  counted = some.wearables_counted ?? counted;
  faults = someFaults;
}

export function drawPolled() {
  const { all, silent } = counted;
  const title = [word("desk.page.wearables", { n: all }), silent > 0 && el("em", "", {}, word("desk.page.wearables.silent", { n: silent }))];
  // Who has not been heard for longest first.
  const sorted = [...wearables].sort((a, b) => SILENT.indexOf(b.state) - SILENT.indexOf(a.state) || (a.state === "heard" ? a.wearable.localeCompare(b.wearable) : Date.parse(a.heard_at) - Date.parse(b.heard_at)));
  fill("wearables", title, sorted.slice(0, LINES_MOST).map(wearableLine), true);
  fill("faults", [word("desk.page.faults", { n: faults.length })], faults.map(faultLine), faults.length > 0);
}

function wearableLine(row) {
  // One that has sent events and no heartbeat yet says nothing of its battery.
  const battery = row.battery_percent ?? null;
  const low = battery !== null && battery <= LOW_PERCENT;
  const said = [battery === null ? "" : `${battery} %`, row.firmware].filter(Boolean).join(" · ");
  return el(
    "div", `line is-${row.state}${low || row.flash_failed ? " is-lost" : ""}`, { title: row.wearable },
    el("b", "mono", {}, shortHandle(row.wearable)),
    el("span", "", {}, said, row.state !== "heard" && el("em", "", {}, word(isAway(row) ? "desk.page.wearable.gateway_away" : `desk.page.wearable.${row.state}`)),
      row.flash_failed && el("em", "", {}, word("desk.page.wearable.flash_failed"))),
    el("time", "", { data: { since: Date.parse(row.heard_at) } }),
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
