// How gateways, wearables and the desk itself are. Owns those panels.

import { byId, el } from "./elements.js";
import { at, now } from "./time.js";
import { language, word } from "./words.js";

const LOST_AFTER_MS = 180_000;
const LOW_PERCENT = 20;

const gateways = new Map();
let wearables = [];
let faults = [];

export function putGateway(gateway) {
  gateways.set(`${gateway.area}/${gateway.gateway}`, gateway);
}

/** Everything that is polled: wearables and faults. */
export function putPolled(someWearables, someFaults) {
  wearables = someWearables;
  faults = someFaults;
}

/** Lost is a matter of time, so it is looked at here again. */
const state = (gateway) =>
  gateway.state === "online" && now() - Date.parse(gateway.seen_at) > LOST_AFTER_MS ? "lost" : gateway.state;

/** Draw the gateways when anything of them differs from what is shown. */
export function drawGateways() {
  const rows = [...gateways.values()].sort((a, b) => (state(a) === "online") - (state(b) === "online") || a.gateway.localeCompare(b.gateway));
  const shown = JSON.stringify([language, rows.map((row) => [row, state(row)])]);
  const panel = byId("gateways");
  if (panel.dataset.shown === shown) return;
  panel.dataset.shown = shown;
  panel.replaceChildren(...(rows.length ? rows.map(gatewayLine) : [el("p", "empty", {}, word("desk.page.gateways.none"))]));
  byId("count-gateways").textContent = rows.length ? `${rows.filter((row) => state(row) === "online").length}/${rows.length}` : "";
}

function gatewayLine(gateway) {
  const beat = gateway.heartbeat;
  const down = beat ? beat.links.filter((link) => link.state !== "up" && link.state !== "quiet") : [];
  // A heartbeat of before an update of the desk has none.
  const ways = (beat && beat.paths) || [];
  const lame = ways.filter((way) => way.state !== "up" || (way.used && way.name !== ways[0].name));
  const wayWord = (way) => word(`desk.page.way.${way.name}`) + word(`desk.page.way.${way.state === "up" ? "used" : way.state}`);
  return el(
    "div", `line gateway is-${state(gateway)}`, { title: beat ? word("desk.page.gateway.title", { version: beat.version }) : null },
    el("b", "", {}, gateway.gateway),
    el("span", "", {}, word(`desk.page.gateway.${state(gateway)}`),
      beat && beat.waiting > 0 && el("em", "", {}, word("desk.page.gateway.waiting", { n: beat.waiting })),
      down.length > 0 && el("em", "", {}, word("desk.page.gateway.down", { names: down.map((link) => link.name).join(", ") })),
      lame.length > 0 && el("em", "", {}, word("desk.page.gateway.ways", { ways: lame.map(wayWord).join(", ") }))),
    el("time", "", { data: { since: Date.parse(gateway.seen_at) } }),
  );
}

export function drawPolled() {
  fill("wearables", word("desk.page.wearables", { n: wearables.length }), wearables.map(wearableLine), true);
  fill("faults", word("desk.page.faults", { n: faults.length }), faults.map(faultLine), faults.length > 0);
}

function fill(id, title, lines, visible) {
  const panel = byId(id);
  panel.hidden = !visible;
  panel.replaceChildren(el("summary", "", {}, title), ...lines);
}

function wearableLine(row) {
  const low = row.battery_percent !== null && row.battery_percent <= LOW_PERCENT;
  const said = [row.battery_percent === null ? "" : `${row.battery_percent} %`, row.firmware].filter(Boolean).join(" · ");
  return el(
    "div", `line${low || row.flash_failed ? " is-lost" : ""}`, { title: row.wearable },
    el("b", "mono", {}, `${row.wearable.slice(0, 4)}…${row.wearable.slice(-4)}`),
    el("span", "", {}, said, row.flash_failed && el("em", "", {}, word("desk.page.wearable.flash_failed"))),
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
