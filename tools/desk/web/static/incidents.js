// The incidents known to this page, and their order. Owns no element.

const CLASSES = ["emergency", "urgent", "security", "fault", "service", "test"];
const CLOSED_KEPT = 50;

const known = new Map();
// Grows with every change: whoever draws from here may ask whether there was one.
export let changes = 0;

export function clear() {
  known.clear();
  changes += 1;
}

/** Take over an incident's present view; an older one than known is ignored. Returns the one known before. */
export function put(incident) {
  const before = known.get(incident.event);
  if (before && before.revision > incident.revision) return before;
  // A way out that was tested: its gateway's heartbeat says so. A visit: visits.js does.
  if (incident.source === "gateway" && incident.stage === "closed" && (incident.test || lane(incident) === "visit")) {
    known.delete(incident.event);
    return before;
  }
  known.set(incident.event, incident);
  changes += 1;
  return before;
}

export const get = (event) => known.get(event);

/** What a gateway says of itself, and of the way to it: its own place, unless it is more than a fault. */
const ofInstallation = (incident) => incident.source === "gateway" && ["fault", "service", "test"].includes(incident.class);

/** What its class calls an emergency, and is the good end of one: for a person to see, and no new call for help. */
export const isWellAgain = (incident) => ["fall_recovered", "sos_cleared"].includes(incident.kind);

/** Which column: tests stand apart whatever else they say, and so do workers' visits. */
export function lane(incident) {
  if (incident.source === "gateway" && incident.kind.startsWith("badge_")) return "visit";
  if (ofInstallation(incident)) return "installation";
  if (incident.test) return "test";
  return incident.class === "emergency" && !isWellAgain(incident) ? "emergency" : "attention";
}

/** A cancel whose SOS is here and open is shown on it, not beside it. */
export function shownOnAnother(incident) {
  const other = incident.refers_to && known.get(incident.refers_to);
  return Boolean(other && other.stage !== "closed" && other.event !== incident.event);
}

const moment = (incident) => Date.parse(incident.stages.accepted);
const urgency = (incident) => CLASSES.indexOf(incident.class);

const waits = (incident) => incident.stage === "accepted" && incident.cancelled_by.length === 0;

/** Open ones of a lane: who waits before who was taken or took it back, then by urgency, then who waits longest. */
export function open(name) {
  return [...known.values()]
    .filter((incident) => incident.stage !== "closed" && lane(incident) === name && !shownOnAnother(incident))
    .sort((a, b) => waits(b) - waits(a) || (a.stage !== "accepted") - (b.stage !== "accepted") || urgency(a) - urgency(b) || moment(a) - moment(b));
}

/** The last that people closed, or that closed by themselves, the newest first; older ones are let go. */
export function closed(byItself = false) {
  const all = [...known.values()].filter((incident) => incident.stage === "closed" && incident.by_itself === byItself);
  all.sort((a, b) => Date.parse(b.stages.closed) - Date.parse(a.stages.closed));
  for (const incident of all.splice(CLOSED_KEPT)) known.delete(incident.event);
  return all;
}

/** What Enter takes: the first untaken one. */
export const firstNew = () => ["emergency", "attention", "test"].flatMap(open).find((incident) => incident.stage === "accepted");

/** What c closes: the operator's own first, else the first that was taken. */
export function firstTaken(operator) {
  const taken = ["emergency", "attention", "test"].flatMap(open).filter((incident) => incident.stage === "answered");
  return taken.find((incident) => incident.operator === operator) ?? taken[0];
}
