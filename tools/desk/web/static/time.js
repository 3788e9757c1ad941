// Times as a person reads them. Owns the desk's clock as seen from here: the browser's own may be wrong.

let offset_ms = 0;

/** The desk said what time it is. */
export function clockIs(iso) {
  offset_ms = Date.parse(iso) - Date.now();
}

export const now = () => Date.now() + offset_ms;

const two = (number) => String(number).padStart(2, "0");

/** 0:42, 12:05, 3:07:00, 2 d 3:07: a duration that ticks. */
export function clockwise(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const [d, h, m] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60];
  if (d) return `${d} d ${h}:${two(m)}`;
  return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

/** 23 ms, 1.2 s, 42 s, 3:05: how long a step took. */
export function took(ms) {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return ms < 60_000 ? `${Math.round(ms / 1000)} s` : clockwise(ms);
}

/** Wall clock of a moment, with the day when it was another. */
export function at(iso, language) {
  const moment = new Date(iso);
  const day = moment.toDateString() === new Date(now()).toDateString() ? {} : { month: "numeric", day: "numeric" };
  return moment.toLocaleString(language === "zh" ? "zh-CN" : "en-GB", { ...day, hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

/** Bring every ticking text on the page up to date: elements with data-since, in ms. */
export function tick() {
  for (const element of document.querySelectorAll("[data-since]")) {
    const text = (element.dataset.before ?? "") + clockwise(now() - Number(element.dataset.since));
    if (element.textContent !== text) element.textContent = text;
    if (element.dataset.over) element.classList.toggle("over", now() - Number(element.dataset.since) > Number(element.dataset.over));
  }
}
