// The demo page: draws what lamps, motors and the watch's glass do, sends a button's edges and taps, lists each
// press's stages.
"use strict";

const PRESSES_SHOWN = 5;
let words = {}, lang = "en", way = [];
const sections = new Map();
const presses = new Map();

const word = (key) => (words[key] ? words[key][lang] : key);

function translate(root) {
  for (const part of root.querySelectorAll("[data-word]")) part.textContent = word(part.dataset.word);
}

function post(where, what) {
  return fetch(where, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(what),
  });
}

// A click on the picture is a finger at that pixel, however large the picture is on this page.
function tappable(glass) {
  glass.addEventListener("click", (event) => {
    const box = glass.getBoundingClientRect();
    const at = (place, start, size) => Math.min(239, Math.max(0, Math.floor((place - start) * 240 / size)));
    post("touch", { x: at(event.clientX, box.left, box.width), y: at(event.clientY, box.top, box.height) });
  });
}

function section(state) {
  if (sections.has(state.number)) return sections.get(state.number);
  const template = document.getElementById(state.glass === null ? "pendant" : "watch");
  const part = template.content.cloneNode(true).firstElementChild;
  const sos = part.querySelector(".sos");
  sos.setAttribute("aria-label", `SOS ${state.name}`);
  if (state.glass !== null) tappable(part.querySelector(".glass"));
  for (const care of part.querySelectorAll("[data-do]")) {
    care.addEventListener("click", async () => {
      care.classList.toggle("sent", (await post("care", { do: care.dataset.do })).ok);
      setTimeout(() => care.classList.remove("sent"), 3000);
    });
  }
  let down = false;
  const push = () => { if (!down) { down = true; post("button", { number: state.number, down: true }); } };
  const release = () => { if (down) { down = false; post("button", { number: state.number, down: false }); } };
  sos.addEventListener("pointerdown", (event) => { sos.setPointerCapture(event.pointerId); push(); });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) sos.addEventListener(end, release);
  sos.addEventListener("keydown", (event) => { if ([" ", "Enter"].includes(event.key)) { event.preventDefault(); push(); } });
  sos.addEventListener("keyup", (event) => { if ([" ", "Enter"].includes(event.key)) release(); });
  sos.addEventListener("blur", release);
  translate(part);
  document.getElementById("all").append(part);
  sections.set(state.number, part);
  return part;
}

function drawOne(state) {
  const part = section(state);
  part.dataset.name = state.name;
  part.querySelector("h2").textContent = word(`demo.page.${state.name}`);
  if (state.glass !== null) drawGlass(part.querySelector(".glass"), state.glass);
  const lamp = part.querySelector(".lamp");
  lamp.style.background = state.led === "#000000" ? "" : state.led;
  lamp.style.boxShadow = state.led === "#000000" ? "" : `0 0 18px 6px ${state.led}`;
  part.querySelector(".case").classList.toggle("shaking", state.motor);
  part.querySelector(".sos").classList.toggle("down", state.down);
  part.dataset.shows = state.shows;
  part.querySelector(".shows").textContent = word(`stage.${state.shows}`);
}

function drawGlass(glass, pages) {
  glass.alt = word("demo.page.glass");
  if (glass.dataset.pages === String(pages)) return;
  glass.dataset.pages = pages;
  glass.src = `glass.png?${pages}`;
}

function drawPress(press) {
  const part = [...sections.values()].find((one) => one.dataset.name === press.wearable);
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
  stream.addEventListener("worn", (event) => JSON.parse(event.data).forEach(drawOne));
  stream.addEventListener("stage", (event) => {
    const row = JSON.parse(event.data);
    const press = presses.get(row.event) || { event: row.event, wearable: row.wearable, stages: {} };
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
    part.querySelector("h2").textContent = word(`demo.page.${part.dataset.name}`);
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
