// Workers' visits: who is where now, and who was, how long and what for. Owns that panel.

import { shortHandle } from "./card.js";
import { el, fill } from "./elements.js";
import { at, clockwise } from "./time.js";
import { has, language, word } from "./words.js";

let visits = [];

export function put(some) {
  visits = some;
}

export function draw() {
  const now = visits.filter((visit) => visit.left_at === null).length;
  const title = [word("desk.page.visits", { n: visits.length }), now > 0 && el("em", "", {}, word("desk.page.visits.now", { n: now }))];
  fill("visits", title, visits.map(line), visits.length > 0);
}

const purpose = (name) => (has(`desk.page.purpose.${name}`) ? word(`desk.page.purpose.${name}`) : name);

function line(visit) {
  const there = visit.left_at === null;
  const minutes = visit.minutes === null ? "" : (visit.at_least ? "≥ " : "") + clockwise(visit.minutes * 60_000);
  const what = visit.purposes.map(purpose).join(", ");
  return el(
    "div", `line visit${there ? " is-there" : ""}`, { title: visit.badge },
    el("b", "mono", {}, shortHandle(visit.badge ?? "")),
    el("span", "", {}, [visit.gateway, what].filter(Boolean).join(" · "),
      el("small", "", {}, there ? word("desk.page.visits.since", { at: at(visit.arrived_at, language) }) : `${at(visit.arrived_at, language)} – ${at(visit.left_at, language)}`)),
    there ? el("time", "", { data: { since: Date.parse(visit.arrived_at) } }) : el("time", "", {}, minutes),
  );
}
