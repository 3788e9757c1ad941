// The demo page: draws what the pendants' lamps and motors do, sends the button's edges, lists each press's stages.
"use strict";

const PRESSES_SHOWN = 5;
let words = {}, lang = "en", way = [];
const sections = new Map();
const presses = new Map();

const word = (key) => (words[key] ? words[key][lang] : key);

function translate(root) {
  for (const part of root.querySelectorAll("[data-word]")) part.textContent = word(part.dataset.word);
}

function button(pendant, down) {
  return fetch("button", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ pendant, down }),
  });
}

function section(state) {
  if (sections.has(state.pendant)) return sections.get(state.pendant);
  const part = document.getElementById("pendant").content.cloneNode(true).firstElementChild;
  const sos = part.querySelector(".sos");
  sos.setAttribute("aria-label", `SOS ${state.link}`);
  let down = false;
  const push = () => { if (!down) { down = true; button(state.pendant, true); } };
  const release = () => { if (down) { down = false; button(state.pendant, false); } };
  sos.addEventListener("pointerdown", (event) => { sos.setPointerCapture(event.pointerId); push(); });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) sos.addEventListener(end, release);
  sos.addEventListener("keydown", (event) => { if ([" ", "Enter"].includes(event.key)) { event.preventDefault(); push(); } });
  sos.addEventListener("keyup", (event) => { if ([" ", "Enter"].includes(event.key)) release(); });
  sos.addEventListener("blur", release);
  translate(part);
  document.getElementById("pendants").append(part);
  sections.set(state.pendant, part);
  return part;
}

function drawPendant(state) {
  const part = section(state);
  part.dataset.link = state.link;
  part.querySelector("h2").textContent = word(`demo.page.${state.link}`);
  const lamp = part.querySelector(".lamp");
  lamp.style.background = state.led === "#000000" ? "" : state.led;
  lamp.style.boxShadow = state.led === "#000000" ? "" : `0 0 18px 6px ${state.led}`;
  part.querySelector(".case").classList.toggle("shaking", state.motor);
  part.querySelector(".sos").classList.toggle("down", state.down);
  part.dataset.shows = state.shows;
  part.querySelector(".shows").textContent = word(`stage.${state.shows}`);
}

function drawPress(press) {
  const part = [...sections.values()].find((one) => one.dataset.link === press.link);
  const list = part.querySelector(".presses");
  if (!press.line) {
    press.line = document.createElement("li");
    list.prepend(press.line);
    while (list.children.length > PRESSES_SHOWN) list.lastElementChild.remove();
  }
  press.line.replaceChildren();
  const name = document.createElement("b");
  name.textContent = press.event;
  const row = document.createElement("div");
  row.className = "way";
  for (const stage of way) {
    const cell = document.createElement("span");
    const ms = press.stages[stage];
    cell.textContent = word(`stage.${stage}`);
    cell.classList.toggle("lit", ms !== undefined);
    const time = document.createElement("em");
    time.textContent = ms === undefined ? "" : `${ms} ms`;
    cell.append(time);
    row.append(cell);
  }
  const beside = document.createElement("div");
  beside.className = "beside";
  beside.textContent = Object.keys(press.stages).filter((stage) => !way.includes(stage))
    .map((stage) => `${word(`stage.${stage}`)} ${press.stages[stage]} ms`).join(" · ");
  press.line.append(name, row, beside);
}

function listen() {
  const stream = new EventSource("stream");
  stream.addEventListener("pendants", (event) => JSON.parse(event.data).forEach(drawPendant));
  stream.addEventListener("stage", (event) => {
    const row = JSON.parse(event.data);
    const press = presses.get(row.event) || { event: row.event, link: row.link, stages: {} };
    presses.set(row.event, press);
    press.stages[row.stage] = row.ms_since_press;
    drawPress(press);
  });
}

function redraw() {
  document.documentElement.lang = lang;
  translate(document);
  for (const part of sections.values()) {
    translate(part);
    part.querySelector("h2").textContent = word(`demo.page.${part.dataset.link}`);
    part.querySelector(".shows").textContent = word(`stage.${part.dataset.shows}`);
  }
  presses.forEach(drawPress);
}

async function start() {
  const told = await (await fetch("words")).json();
  ({ words, lang, way } = told);
  document.getElementById("desk").href = told.desk;
  document.getElementById("lang").addEventListener("click", () => { lang = lang === "zh" ? "en" : "zh"; redraw(); });
  redraw();
  listen();
}

start();
