// The connection to the desk: everything once, then every change as it comes. Owns reconnecting.

import { clockIs } from "./time.js";

// The desk gives a sign of life every 2 s; a line without one is dead even if nobody closed it.
const DEAD_AFTER_MS = 8000;
const AGAIN_MS = 1000;

/** handlers: all(list), incident(view), gateway(view), desk(status), live(bool). Never returns to the dead on its own. */
export function follow(handlers) {
  let source = null;
  let heard_ms = 0;

  async function begin() {
    try {
      const answer = await fetch("/api/incidents");
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const listed = await answer.json();
      clockIs(listed.now);
      await handlers.all(listed);
      listen(listed.revision);
    } catch {
      handlers.live(false);
      setTimeout(begin, AGAIN_MS);
    }
  }

  function listen(revision) {
    source = new EventSource(`/api/stream?after=${revision}`);
    heard_ms = Date.now();
    const on = (name, handle) =>
      source.addEventListener(name, (event) => {
        heard_ms = Date.now();
        handle(JSON.parse(event.data));
      });
    on("incident", handlers.incident);
    on("gateway", handlers.gateway);
    on("here", (said) => clockIs(said.now));
    on("desk", (status) => {
      clockIs(status.now);
      handlers.live(true);
      handlers.desk(status);
    });
    source.onerror = () => {
      handlers.live(false);
      // A line that broke is taken up again by the browser, with its last id; one that was refused is not.
      if (source.readyState === EventSource.CLOSED) again();
    };
  }

  function again() {
    source.close();
    source = null;
    setTimeout(begin, AGAIN_MS);
  }

  setInterval(() => {
    if (source && source.readyState === EventSource.OPEN && Date.now() - heard_ms > DEAD_AFTER_MS) {
      handlers.live(false);
      again();
    }
  }, AGAIN_MS);
  begin();
}
