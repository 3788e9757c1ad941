// The operator's page put together. Read this first: what comes in, what is drawn, what keys do.

import * as actions from "./actions.js";
import { card, closedLine, kindName } from "./card.js";
import { byId, el, place } from "./elements.js";
import * as health from "./health.js";
import * as incidents from "./incidents.js";
import * as installations from "./installations.js";
import { follow } from "./live.js";
import * as sound from "./sound.js";
import { tick } from "./time.js";
import * as visits from "./visits.js";
import { language, languages, loadWords, word } from "./words.js";

// More cards than a person can look through; the count says how many there are.
const CARDS_MOST = 100;
const LANES = ["emergency", "attention", "test"];
const POLL_MS = 15_000;
const TICK_MS = 250;
const LANGUAGE = "pingan.language";

const drawn = new Map();
let desk = null;
let live = false;
let due = false;

/** Draw once for all that came within one frame: a drained backlog brings thousands. */
function draw() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    drawLanes();
    installations.draw(buttons, actions.operator());
    health.drawDesk(desk, live);
    tick();
  });
}

function drawLanes() {
  for (const name of LANES) {
    const open = incidents.open(name);
    const shown = open.slice(0, CARDS_MOST).map(element);
    if (open.length > CARDS_MOST) shown.push(el("p", "more", {}, word("desk.page.more", { n: open.length - CARDS_MOST })));
    place(byId(`lane-${name}`), shown.length ? shown : [el("p", "empty", {}, word(`desk.page.empty.${name}`))]);
    byId(`count-${name}`).textContent = open.length || "";
  }
  const closed = incidents.closed();
  byId("lane-closed").replaceChildren(...(closed.length ? closed.map(closedLine) : [el("p", "empty", {}, word("desk.page.empty.closed"))]));
  const waiting = LANES.slice(0, 2).flatMap(incidents.open).filter((incident) => incident.stage === "accepted").length;
  document.title = `${waiting ? `(${waiting}) ` : ""}${word("desk.page.title")}`;
}

/** The card of an incident; the same element as long as nothing of it changed, so focus and clicks survive. */
function element(incident) {
  const key = `${incident.revision} ${language} ${actions.operator()}`;
  const old = drawn.get(incident.event);
  if (old?.key === key) return old.element;
  const made = card(incident, buttons, actions.operator());
  if (!old && incident.stage === "accepted") made.classList.add("arrived");
  drawn.set(incident.event, { key, element: made });
  return made;
}

const buttons = {
  take: async (incident, over) => done(await actions.take(incident, over)),
  close: async (incident) => done(await actions.close(incident)),
  look: async (wearable) => {
    const { said, error } = await actions.look(wearable);
    if (said || error) say(said || error);
    drawWho();
  },
};

function done({ incident, error }) {
  if (incident) incidents.put(incident);
  if (error) say(error);
  drawWho();
  draw();
}

function say(text) {
  byId("spoken").textContent = text;
  const note = el("p", "toast", {}, text);
  document.body.append(note);
  setTimeout(() => note.remove(), 5000);
}

function came(incident) {
  const before = incidents.put(incident);
  if (incident.stage === "closed") drawn.delete(incident.event);
  if (!before && incidents.lane(incident) === "emergency" && incident.stage === "accepted") {
    byId("spoken").textContent = kindName(incident);
    sound.ring();
  }
  draw();
}

async function poll() {
  try {
    const paths = ["/api/gateways", "/api/faults", "/api/care", "/api/visits"];
    const [some, broken, kept, visited] = await Promise.all(paths.map(async (path) => (await fetch(path)).json()));
    some.gateways?.forEach(installations.put);
    health.putPolled(some, broken.faults ?? [], kept.care ?? []);
    visits.put(visited.visits ?? []);
    drawPolled();
    draw();
  } catch {
    // The live line says that the desk is away; the next poll comes by itself.
  }
}

function drawPolled() {
  health.drawPolled(buttons);
  visits.draw();
}

function drawWho() {
  byId("operator").textContent = actions.operator() || word("desk.page.who.none");
  byId("sound").textContent = sound.isOn() ? word("desk.page.sound.on") : word("desk.page.sound.off");
  byId("sound").setAttribute("aria-pressed", sound.isOn());
  byId("language").textContent = word("desk.page.language.other");
}

function drawWords() {
  for (const each of document.querySelectorAll("[data-word]")) each.textContent = word(each.dataset.word);
  const key = (name, what) => el("span", "", {}, el("kbd", "", {}, name), what);
  byId("keys").replaceChildren(key("Enter", word("desk.page.keys.take")), key("C", word("desk.page.keys.close")), key("Esc", word("desk.page.keys.back")));
  drawWho();
  drawPolled();
  draw();
}

async function switchLanguage() {
  const next = languages[(languages.indexOf(language) + 1) % languages.length];
  localStorage.setItem(LANGUAGE, next);
  await loadWords(next);
  drawWords();
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (actions.outcomeKey(event.key)) return event.preventDefault();
  if (document.querySelector("dialog[open]") || event.target.closest("button, input, summary, a")) return;
  const incident = event.key === "Enter" ? incidents.firstNew() : event.key.toLowerCase() === "c" ? incidents.firstTaken(actions.operator()) : null;
  if (!incident) return;
  event.preventDefault();
  if (event.key === "Enter") buttons.take(incident, false);
  else buttons.close(incident);
}

await loadWords(localStorage.getItem(LANGUAGE));
drawWords();
byId("operator").addEventListener("click", async () => { await actions.askName(); drawWho(); draw(); });
byId("sound").addEventListener("click", () => { sound.toggle(); drawWho(); });
byId("language").addEventListener("click", switchLanguage);
document.addEventListener("keydown", pressed);
// Enter is for the first incident: it must not fall on a button that the mouse or a dialog left focused.
const letGo = () => document.activeElement?.blur();
document.addEventListener("click", (event) => { if (event.detail > 0 && event.target.closest("button")) letGo(); });
for (const dialog of document.querySelectorAll("dialog")) dialog.addEventListener("close", letGo);
setInterval(() => { tick(); installations.draw(buttons, actions.operator()); }, TICK_MS);
setInterval(poll, POLL_MS);
follow({
  all: async (listed) => {
    incidents.clear();
    listed.incidents.forEach(incidents.put);
    await poll();
  },
  incident: came,
  gateway: (gateway) => { installations.put(gateway); draw(); },
  desk: (status) => { desk = status; draw(); },
  live: (is) => { live = is; draw(); },
});
