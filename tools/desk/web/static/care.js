// What care adds to an incident: where its wearer is, what was asked and answered, a call to look at the watch.

import { el } from "./elements.js";
import { at, clockwise } from "./time.js";
import { has, language, word } from "./words.js";

const CARE_KIND = /^(checkin_|inactive$|active_again$|badge_)/;

/** The newest position of an event, and how old it is. Opens in whatever the machine has for maps. */
export function positionLine(incident) {
  const { position } = incident;
  if (!position) return null;
  const where = `${position.latitude.toFixed(5)}, ${position.longitude.toFixed(5)}`;
  const within = position.accuracy_m === null ? "" : word("desk.page.position.within", { m: position.accuracy_m });
  return el(
    "p", "position", { title: word("desk.page.position.title", { at: at(position.at, language) }) },
    el("a", "mono", { href: `geo:${position.latitude},${position.longitude}` }, where),
    within && el("span", "", {}, within),
    el("time", "", { data: { since: Date.parse(position.at), before: word("desk.page.position.before") } }),
  );
}

/** The words of a gateway's note on care, as a sentence; empty for any other note. */
export function careNote(incident) {
  if (incident.source !== "gateway" || !CARE_KIND.test(incident.kind)) return "";
  const words = Object.fromEntries((incident.remark ?? "").split(" ").map((each) => each.split("=")));
  const said = [
    named("kind", words.kind),
    words.due && word("desk.page.care.due", { at: words.due, on: words.on ?? "" }),
    words.tries && word("desk.page.care.tries", { n: words.tries }),
    words.minutes && word("desk.page.care.minutes", { took: clockwise(Number(words.minutes) * 60_000) }),
    named("worn", words.worn),
    named("why", words.why),
  ];
  return said.filter(Boolean).join(" · ");
}

const named = (name, value) => (has(`desk.page.care.${name}.${value}`) ? word(`desk.page.care.${name}.${value}`) : "");

/** What became of the last call to look at the watch. */
export function lookLine(incident) {
  const { look } = incident;
  if (!look) return null;
  const answered = look.answered_at !== null;
  const state = answered ? "answered" : look.result ?? "asked";
  const why = `desk.page.look.refused.${look.reason}`;
  const said = state === "refused" && has(why) ? word(why) : word(`desk.page.look.${state}`, { at: answered ? at(look.answered_at, language) : "" });
  return el(
    "p", `look is-${state}`, { title: word("desk.page.look.title", { operator: look.operator, at: at(look.at, language) }) },
    el("b", "", {}, word("desk.page.look")), " ", said,
  );
}

export function lookButton(wearable, actions) {
  return el("button", "quiet look", { type: "button", title: word("desk.page.look.do.title"), onclick: () => actions.look(wearable) }, word("desk.page.look.do"));
}
