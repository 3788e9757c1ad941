// What an operator does: who they are, take, close. Owns the dialogs and what is posted.

import { byId, el } from "./elements.js";
import { aboutName, kindName } from "./card.js";
import { outcomes, word } from "./words.js";

const NAME = "pingan.operator";
// Kinds of which the gateway itself says when they are over: by their names, so that a newer one's are known too.
const ENDS = /_(lost|deaf|jammed|low|degraded|full|wrong|missing)$/;

export const operator = () => localStorage.getItem(NAME) ?? "";

/** Ask for the operator's name; empty when they would not say. */
export function askName() {
  const dialog = byId("who");
  byId("who-name").value = operator();
  dialog.returnValue = "";
  dialog.showModal();
  byId("who-name").select();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      const name = byId("who-name").value.trim();
      if (dialog.returnValue === "ok" && name) localStorage.setItem(NAME, name);
      resolve(operator());
    }, { once: true });
  });
}

async function post(path, body) {
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const said = await answer.json();
    if (answer.ok) return { incident: said };
    return { incident: said.incident, error: word(`desk.page.error.${said.error}`, { operator: said.incident?.operator ?? "" }) };
  } catch {
    return { error: word("desk.page.error.unreachable") };
  }
}

const pathOf = (incident, action) => `/api/incidents/${incident.event}/${action}`;

/** Take it, after asking who takes it. Resolves to {incident, error}. */
export async function take(incident, over) {
  const name = operator() || (await askName());
  return name ? post(pathOf(incident, "take"), { operator: name, over }) : {};
}

/** Close it with an outcome and, if wished, a note. Resolves to {incident, error}. */
export async function close(incident) {
  const name = operator() || (await askName());
  if (!name) return {};
  const said = await askOutcome(incident);
  return said ? post(pathOf(incident, "close"), { operator: name, ...said }) : {};
}

/** Call the wearer to look at the watch. Resolves to {said, error}. */
export async function look(wearable) {
  const name = operator() || (await askName());
  if (!name) return {};
  const { error } = await post(`/api/wearables/${wearable}/look`, { operator: name });
  return { error, said: error ? "" : word("desk.page.look.asked") };
}

function askOutcome(incident) {
  const dialog = byId("closing");
  const own = incident.source === "gateway";
  byId("closing-what").textContent = own ? [kindName(incident), aboutName(incident)].filter(Boolean).join(" · ") : `${kindName(incident)} #${incident.number}`;
  byId("closing-hint").hidden = !(own && ENDS.test(incident.kind) && !incident.ended_at);
  byId("note").value = "";
  byId("note").placeholder = word("desk.page.close.note");
  const buttons = offered(incident).map((outcome, index) =>
    el("button", "quiet", { type: "submit", value: outcome, data: { key: index + 1 } }, el("kbd", "", {}, String(index + 1)), word(`desk.page.outcome.${outcome}`)));
  byId("outcomes").replaceChildren(...buttons);
  dialog.returnValue = "";
  dialog.showModal();
  buttons[0].focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      const outcome = dialog.returnValue;
      resolve(outcomes.includes(outcome) ? { outcome, note: byId("note").value.trim() || null } : null);
    }, { once: true });
  });
}

/** Tests pass or do not; a cancelled call most likely was one. The likely outcome stands first. */
function offered(incident) {
  if (incident.test) return ["test_passed", "fixed", "other"];
  const rest = outcomes.filter((outcome) => outcome !== "test_passed");
  if (incident.cancelled_by.length || incident.refers_to) rest.sort((a, b) => (b === "cancelled") - (a === "cancelled"));
  if (incident.class === "fault" || incident.class === "security") rest.sort((a, b) => (b === "fixed") - (a === "fixed"));
  return rest;
}

/** Digits choose an outcome while the dialog is open and no note is being written. */
export function outcomeKey(key) {
  const button = byId("closing").open && document.activeElement !== byId("note") && byId("outcomes").querySelector(`[data-key="${key}"]`);
  if (button) button.click();
  return Boolean(button);
}
