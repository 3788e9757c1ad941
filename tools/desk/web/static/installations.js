// Gateways: which are there, what is wrong at each and since when, what was wrong and is over. Owns those panels.
// Apart from the emergencies on purpose: a house without mains is somebody's work, and nobody's call for help.

import { aboutName, kindName, shortHandle } from "./card.js";
import { byId, el, fill, place } from "./elements.js";
import * as incidents from "./incidents.js";
import { at, clockwise, now } from "./time.js";
import { has, language, word } from "./words.js";

const LOST_AFTER_MS = 180_000;
// So long an ended fault stands at its gateway, for whoever was looking at it.
const OVER_SHOWN_MS = 600_000;
const WRONG_MOST = 50;
const FINE_MOST = 200;
// Fewer can be seen in the list.
const MANY = 3;

const gateways = new Map();
// What somebody opened or shut; anything else is open while something is wrong there.
const turned = new Map();
const blocksOf = new Map();
let changes = 0;
let drawn = "";

const keyOf = (of) => `${of.area}/${of.gateway}`;

export function put(gateway) {
  const before = gateways.get(keyOf(gateway));
  if (before && before.revision > gateway.revision) return;
  gateways.set(keyOf(gateway), gateway);
  changes += 1;
}

/** Lost is a matter of time, so it is looked at here again. */
const state = (gateway) =>
  gateway.state === "online" && now() - Date.parse(gateway.seen_at) > LOST_AFTER_MS ? "lost" : gateway.state;

/** Whether the gateway that heard a wearable last is away. */
export function isAway(wearable) {
  const gateway = gateways.get(keyOf(wearable));
  return Boolean(gateway) && ["lost", "offline"].includes(state(gateway));
}

const since = (incident) => Date.parse(incident.stages.pressed ?? incident.stages.heard ?? incident.stages.accepted);
const justOver = (incident) => incident.ended_at && now() - Date.parse(incident.ended_at) < OVER_SHOWN_MS;

/** Every installation that was heard of: its gateway, what is wrong there, what was until a moment ago. */
function sites() {
  const found = new Map();
  const site = (of) => {
    const key = keyOf(of);
    if (!found.has(key)) found.set(key, { key, area: of.area, gateway: of.gateway, is: "unheard", wrong: [], over: [] });
    return found.get(key);
  };
  for (const gateway of gateways.values()) Object.assign(site(gateway), { ...gateway, is: state(gateway) });
  for (const incident of incidents.open("installation")) incident.reports.forEach((report) => site(report).wrong.push(incident));
  for (const incident of incidents.closed(true)) if (justOver(incident)) incident.reports.forEach((report) => site(report).over.push(incident));
  return [...found.values()];
}

const links = (site) => site.heartbeat?.links ?? [];
// A heartbeat of before an update of the gateway has none.
const paths = (site) => site.heartbeat?.paths ?? [];
const linkIsWell = (link) => ["up", "quiet"].includes(link.state);
const away = (site) => ["lost", "offline"].includes(site.is);
/** 0: away. 1: says that something is wrong. 2: a link or a way is. 3: well. */
function rank(site) {
  if (away(site)) return 0;
  if (site.wrong.length) return 1;
  return links(site).every(linkIsWell) && paths(site).every((path) => path.state === "up") ? 3 : 2;
}

/** Draw when anything differs from what is shown: a change, the language, the operator, or what time brings. */
export function draw(actions, operator) {
  const timely = [...gateways.values()].filter((gateway) => state(gateway) === "lost").length;
  const over = incidents.closed(true);
  const shown = [language, operator, changes, incidents.changes, timely, over.filter(justOver).length].join(" ");
  if (shown === drawn) return;
  drawn = shown;
  const all = sites().sort((a, b) => rank(a) - rank(b) || a.gateway.localeCompare(b.gateway));
  const wrong = all.filter((site) => rank(site) < 3);
  const fine = all.filter((site) => rank(site) === 3);
  drawCounts(all, wrong);
  const blocks = wrong.slice(0, WRONG_MOST).map((site) => block(site, actions, operator));
  if (wrong.length > WRONG_MOST) blocks.push(el("p", "more", {}, word("desk.page.more", { n: wrong.length - WRONG_MOST })));
  blocks.push(...fine.slice(0, FINE_MOST).map((site) => block(site, actions, operator)));
  if (fine.length > FINE_MOST) blocks.push(el("p", "empty", {}, word("desk.page.site.fine", { n: fine.length - FINE_MOST })));
  place(byId("gateways"), blocks.length ? blocks : [el("p", "empty", {}, word("desk.page.gateways.none"))]);
  drawOver(over);
}

/** How many of each: where a district has lost its mains, no list says it as well. */
function drawCounts(all, wrong) {
  byId("count-gateways").textContent = all.length ? `${all.filter((site) => site.is === "online").length}/${all.length}` : "";
  const counts = new Map();
  const count = (name) => counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const site of wrong) {
    if (away(site)) count(word(`desk.page.gateway.${site.is}`));
    for (const name of new Set(site.wrong.map(kindName))) count(name);
  }
  const many = [...counts].filter(([, n]) => n >= MANY).sort((a, b) => b[1] - a[1]);
  byId("wrong").hidden = !many.length;
  byId("wrong").replaceChildren(...many.map(([name, n]) => el("span", "tag late", {}, `${name} ${n}`)));
}

/** The block of a site; the same element as long as nothing of it changed. */
function block(site, actions, operator) {
  const said = [language, operator, site.revision, site.is, ...site.wrong.map((each) => each.event + each.revision), "", ...site.over.map((each) => each.event)];
  const old = blocksOf.get(site.key);
  const same = said.join(" ");
  if (old?.said === same) return old.element;
  const made = build(site, actions, operator);
  blocksOf.set(site.key, { said: same, element: made });
  return made;
}

function build(site, actions, operator) {
  const isWrong = rank(site) < 3;
  const made = el(
    "details", `site is-${site.is}${isWrong ? " has-wrong" : ""}`, { data: { gateway: site.gateway }, open: turned.get(site.key) ?? (isWrong || site.over.length > 0) },
    summary(site),
    ...site.wrong.map((incident) => fault(incident, actions, operator)),
    ...site.over.map((incident) => ended(incident)),
    chips(site), meta(site),
  );
  // Only what a person does: the first toggle event tells of our own `open`.
  made.querySelector("summary").addEventListener("click", () => turned.set(site.key, !made.open));
  return made;
}

function summary(site) {
  const waiting = site.heartbeat?.waiting ?? 0;
  return el(
    "summary", "", {},
    el("b", "", { title: site.area }, site.gateway),
    el("span", "", {}, word(`desk.page.gateway.${site.is}`),
      waiting > 0 && el("em", "", {}, word("desk.page.gateway.waiting", { n: waiting }))),
    site.seen_at && el("time", "", { title: word("desk.page.site.seen", { at: at(site.seen_at, language) }), data: { since: Date.parse(site.seen_at) } }),
  );
}

/** One thing that is wrong: what, about what, since when; taken or closed here. */
function fault(incident, actions, operator) {
  const taken = incident.stage === "answered";
  const mine = incident.operator === operator;
  return el(
    "div", `wrong-row${taken ? " is-taken" : ""}`, { data: { event: incident.event } },
    el("p", "", {}, el("b", "", {}, kindName(incident)), el("span", "", {}, aboutName(incident)),
      el("time", "", { title: word("desk.page.site.since", { at: at(new Date(since(incident)).toISOString(), language) }), data: { since: since(incident) } })),
    incident.remark && el("p", "remark", { title: word("desk.page.remark.title") }, incident.remark),
    incident.reports.some((report) => !report.stored && !report.sealed) && el("p", "", {}, el("span", "tag late", {}, word("desk.page.tag.unstored"))),
    el("p", "do", {},
      taken && el("span", `by${mine ? " mine" : ""}`, {}, mine ? word("desk.page.by.me") : word("desk.page.by", { operator: incident.operator })),
      !taken && el("button", "quiet take", { type: "button", onclick: () => actions.take(incident, false) }, word("desk.page.site.take")),
      taken && !mine && el("button", "quiet", { type: "button", onclick: () => actions.take(incident, true) }, word("desk.page.take_over")),
      el("button", "quiet close", { type: "button", onclick: () => actions.close(incident) }, word("desk.page.close"))),
  );
}

const lasted = (incident) => clockwise(Date.parse(incident.ended_at) - since(incident));

function ended(incident) {
  return el(
    "div", "wrong-row is-over", { data: { event: incident.event } },
    el("p", "", {}, el("b", "", {}, kindName(incident)), el("span", "", {}, aboutName(incident)),
      el("time", "", { title: at(incident.ended_at, language) }, word("desk.page.site.over", { took: lasted(incident) }))),
  );
}

/** Its links and its ways out, each with a dot. */
function chips(site) {
  const link = (each) =>
    el("li", linkIsWell(each) ? "well" : "ill", { title: each.name }, each.name.replace("/dev/", ""), " ", word(`desk.page.link.state.${each.state}`));
  const ago = (age_s) => (age_s === null ? word("desk.page.way.never") : clockwise(age_s * 1000));
  const path = (each) =>
    el("li", each.state === "up" ? "well" : "ill",
      { title: word("desk.page.way.title", { answered: ago(each.last_answer_age_s), tested: ago(each.last_test_age_s) }) },
      word(`desk.page.way.${each.name}`), " ", word(`desk.page.way.${each.used ? "used" : each.state}`));
  const items = [...links(site).map(link), ...paths(site).map(path)];
  return items.length ? el("ul", `chips${away(site) ? " is-old" : ""}`, {}, ...items) : null;
}

function meta(site) {
  const said = [];
  if (site.heartbeat) said.push(word("desk.page.gateway.title", { version: site.heartbeat.version }), word("desk.page.site.uptime", { took: clockwise(site.heartbeat.uptime_s * 1000) }));
  if (site.lost) said.push(word("desk.page.site.lost", { took: clockwise(Date.parse(site.lost.until) - Date.parse(site.lost.from)), at: at(site.lost.until, language) }));
  return said.length ? el("p", "meta", {}, said.join(" · ")) : null;
}

/** What closed without anybody. The event that ended another stands with it, not beside it. */
function drawOver(closed) {
  const ends = new Set(closed.map((incident) => incident.ended_by));
  const rows = closed.filter((incident) => !ends.has(incident.event));
  fill("over", [word("desk.page.site.history", { n: rows.length })], rows.map(overLine), rows.length > 0);
}

function overLine(incident) {
  const outcome = `desk.page.outcome.${incident.outcome}`;
  const how = incident.ended_at ? word("desk.page.site.over", { took: lasted(incident) }) : has(outcome) ? word(outcome) : incident.outcome;
  const whose = incident.source === "wearable" ? shortHandle(incident.wearable) : "";
  const where = [...new Set(incident.reports.map((report) => report.gateway))].join(", ");
  return el(
    "div", "line", { data: { event: incident.event }, title: incident.remark },
    el("b", "", {}, kindName(incident)),
    el("span", "", {}, [whose, where, aboutName(incident), how].filter(Boolean).join(" · ")),
    el("time", "", {}, at(incident.stages.closed, language)),
  );
}
