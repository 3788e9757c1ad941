// Building elements. Text only ever becomes text: nothing a peer said is parsed as HTML anywhere on this page.

/** An element: class names, properties and listeners in `more`, children as strings or nodes. */
export function el(tag, classes = "", more = {}, ...children) {
  const element = document.createElement(tag);
  if (classes) element.className = classes;
  for (const [name, value] of Object.entries(more)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** The elements of a box, in this order; those that are there already stay, with their focus and clicks. */
export function place(box, wanted) {
  wanted.forEach((each, index) => {
    if (box.children[index] !== each) box.insertBefore(each, box.children[index] ?? null);
  });
  while (box.children.length > wanted.length) box.lastChild.remove();
}

/** A folded panel: its title and lines. */
export function fill(id, title, lines, visible) {
  const panel = byId(id);
  panel.hidden = !visible;
  panel.replaceChildren(el("summary", "", {}, ...title), ...lines);
}
