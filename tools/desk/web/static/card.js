// One incident as a card. Owns its looks; what its buttons do is handed in.

import { careNote, lookButton, lookLine, positionLine } from "./care.js";
import { el } from "./elements.js";
import { isWellAgain } from "./incidents.js";
import { at, took } from "./time.js";
import { has, language, word } from "./words.js";

export const HANDLE = /^[0-9a-f]{16}$/;
const STAGES = ["pressed", "heard", "accepted", "answered", "closed"];
// A call should be answered within a minute (TSA: 97.5 % within 60 s); from then on its wait is marked.
const ANSWER_WITHIN_MS = 60_000;

/** Name of a kind; one that a newer gateway made up is shown as it is. */
export const kindName = (incident) => (has(`desk.page.kind.${incident.kind}`) ? word(`desk.page.kind.${incident.kind}`) : incident.kind);

const since = (incident) => Date.parse(incident.stages.pressed ?? incident.stages.heard ?? incident.stages.accepted);
const atLeast = (incident) => ["at_least", "unknown"].includes(incident.age_quality);

export const shortHandle = (handle) => `${handle.slice(0, 4)}…${handle.slice(-4)}`;

/** What a gateway's own event is about, in words; empty where its kind says it. */
export function aboutName(incident) {
  const about = incident.about ?? "";
  if (HANDLE.test(about)) return word("desk.page.about.wearable", { name: shortHandle(about) });
  if (/^hci\d+$/.test(about)) return word("desk.page.about.adapter", { name: about });
  if (about.startsWith("/dev/")) return word("desk.page.about.port", { name: about.slice(5) });
  if (incident.kind.startsWith("path_") || !about) return "";
  // A certificate: the way it is used on, and whose it is.
  const [way, whose] = about.split(" ");
  if (has(`desk.page.way.${way}`) && has(`desk.page.about.${whose}`)) return `${word(`desk.page.about.${whose}`)} · ${word(`desk.page.way.${way}`)}`;
  return about;
}

/** The wearable that an incident is of, or is about; "" where there is none. */
const whose = (incident) => (incident.source === "wearable" ? incident.wearable : HANDLE.test(incident.about ?? "") ? incident.about : "");

/** A card with its buttons: actions.take(incident, over), actions.close(incident), actions.look(wearable). */
export function card(incident, actions, operator) {
  const classes = ["card", `class-${isWellAgain(incident) ? "urgent" : incident.class}`, `stage-${incident.stage}`];
  if (incident.test) classes.push("is-test");
  if (incident.cancelled_by.length || incident.ended_at) classes.push("is-cancelled");
  const name = kindName(incident);
  return el(
    "article", classes.join(" "), { data: { event: incident.event }, tabindex: -1, "aria-label": name },
    head(incident, name), tags(incident), positionLine(incident), remark(incident), cancelled(incident), lookLine(incident), timeline(incident), reports(incident), raw(incident),
    foot(incident, actions, operator),
  );
}

function head(incident, name) {
  const detail = has(`desk.page.detail.${incident.detail}`) ? word(`desk.page.detail.${incident.detail}`) : "";
  return el(
    "header", "", {},
    el("h3", "", {}, name, detail && el("small", "", {}, detail)),
    el("time", "age", {
      data: { since: since(incident), before: atLeast(incident) ? "≥ " : "" },
      title: word("desk.page.age.title", { at: at(new Date(since(incident)).toISOString(), language) }),
    }),
  );
}

function tags(incident) {
  const { battery_percent: battery, wearable, number } = incident;
  const own = incident.source === "gateway";
  return el(
    "p", "tags", {},
    incident.test && el("span", "tag test", {}, word("desk.page.tag.test")),
    incident.late && el("span", "tag late", { title: word("desk.page.tag.late.title") }, word("desk.page.tag.late")),
    incident.age_quality === "unknown" && el("span", "tag late", {}, word("desk.page.tag.age_unknown")),
    isWellAgain(incident) && el("span", "tag well", {}, word("desk.page.tag.well")),
    incident.class !== "emergency" && !incident.test && el("span", "tag", {}, word(`desk.page.class.${incident.class}`)),
    own ? el("span", "", { title: incident.about }, aboutName(incident))
      : el("span", "who", { title: incident.event }, shortHandle(wearable), el("i", "", {}, ` #${number}`)),
    battery !== null && el("span", `battery${battery <= 20 ? " low" : ""}`, { title: word("desk.page.battery.title") },
      batteryIcon(battery), `${battery} %`),
    incident.reports.some((report) => !report.stored && !report.sealed) && el("span", "tag late", {}, word("desk.page.tag.unstored")),
  );
}

function batteryIcon(percent) {
  const icon = el("span", "cell", { "aria-hidden": "true" }, el("b", `fill fill-${Math.round(percent / 20)}`));
  return icon;
}

function remark(incident) {
  const said = careNote(incident);
  if (said) return el("p", "remark", { title: incident.remark }, said);
  return incident.remark ? el("p", "remark", { title: word("desk.page.remark.title") }, incident.remark) : null;
}

/** The wearer took it back, or it is over: said on the card, which stays until an operator closes it. */
function cancelled(incident) {
  const parts = incident.cancelled_by.map((cancel) => el("p", "cancelled", {}, word("desk.page.cancelled", { at: at(cancel.at, language) })));
  if (incident.refers_to) parts.push(el("p", "cancelled", {}, word("desk.page.refers_to", { number: parseInt(incident.refers_to.slice(17), 16) })));
  if (incident.ended_at) parts.push(el("p", "cancelled", {}, word("desk.page.ended", { at: at(incident.ended_at, language) })));
  return parts.length ? el("div", "", {}, ...parts) : null;
}

function timeline(incident) {
  let last = null;
  const items = STAGES.map((stage) => {
    const iso = incident.stages[stage];
    const reached = Boolean(iso);
    const step = reached && last ? took(Date.parse(iso) - Date.parse(last)) : "";
    const waits = stage === "answered" && incident.stage === "accepted";
    const item = el(
      "li", reached ? "reached" : waits ? "waits" : "", { title: reached ? at(iso, language) : null },
      el("span", "name", {}, word(`desk.page.stage.${stage === "pressed" && incident.source === "gateway" ? "begun" : stage}`)),
      waits
        ? el("span", "step", { data: { since: Date.parse(incident.stages.accepted), over: ANSWER_WITHIN_MS } })
        : el("span", "step", {}, step),
    );
    if (reached) last = iso;
    return item;
  });
  return el("ol", "timeline", {}, ...items);
}

function reports(incident) {
  const rows = incident.reports.map((report) => {
    const strength = report.rssi_dbm === null ? "" : `${report.rssi_dbm} dBm`;
    return el(
      "li", "", { title: word("desk.page.report.title", { area: report.area, times: report.times, at: at(report.heard_at, language) }) },
      report.rssi_dbm !== null && bars(report.rssi_dbm),
      el("b", "", {}, report.gateway), ` ${word(`desk.page.link.${report.link}`)} ${strength}`,
      report.sealed && el("i", "", {}, ` ${word("desk.page.report.sealed")}`),
    );
  });
  return el("ul", "reports", {}, ...rows);
}

/** Four bars: -60 dBm is in the room, -90 dBm is the edge. */
function bars(rssi_dbm) {
  const strength = Math.min(4, Math.max(1, Math.round((rssi_dbm + 100) / 10)));
  return el("span", `bars bars-${strength}`, { "aria-hidden": "true" }, el("b"), el("b"), el("b"), el("b"));
}

function raw(incident) {
  if (!incident.raw) return null;
  return el("details", "raw", {}, el("summary", "", {}, word("desk.page.raw")), el("code", "", {}, incident.raw));
}

function foot(incident, actions, operator) {
  const mine = incident.operator === operator;
  const taken = incident.stage === "answered";
  return el(
    "footer", "", {},
    taken && el("span", `by${mine ? " mine" : ""}`, {}, mine ? word("desk.page.by.me") : word("desk.page.by", { operator: incident.operator })),
    !taken && el("button", "primary take", { type: "button", onclick: () => actions.take(incident, false) }, word("desk.page.take")),
    taken && !mine && el("button", "quiet", { type: "button", onclick: () => actions.take(incident, true) }, word("desk.page.take_over")),
    !incident.test && whose(incident) && lookButton(whose(incident), actions),
    el("button", taken ? "primary close" : "quiet close", { type: "button", onclick: () => actions.close(incident) }, word("desk.page.close")),
  );
}

/** One closed incident as a line. */
export function closedLine(incident) {
  const outcome = has(`desk.page.outcome.${incident.outcome}`) ? word(`desk.page.outcome.${incident.outcome}`) : incident.outcome;
  return el(
    "div", `line${incident.test ? " is-test" : ""}`, { data: { event: incident.event }, title: incident.note },
    el("b", "", {}, kindName(incident)),
    el("span", "", {}, [outcome, incident.operator].filter(Boolean).join(" · ")),
    el("time", "", {}, at(incident.stages.closed, language)),
  );
}
