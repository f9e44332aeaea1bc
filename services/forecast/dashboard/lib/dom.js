// Building elements. Data become text nodes and attributes, never markup.

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") element.addEventListener("click", value);
    else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// What figures lack for want of an exchange rate, said below them; nothing stands there when they lack nothing.
export const leftOut = () => make("p", { class: "left-out", role: "status" });
export function tellLeftOut(section, { unconverted }) {
  section.querySelector(".left-out").textContent = unconverted.map(({ sentence }) => sentence).join(" ");
}

// How long a bar is, as a share of the whole.
export const fill = (bar, part) => bar.style.setProperty("--share", `${Math.min(Math.max(part, 0), 1) * 100}%`);

// The rows of a list are drawn anew, or one that says why there is none; the focus stays where it was.
export function replaceRows(list, rows, empty) {
  const held = list.contains(document.activeElement) ? placeOf(document.activeElement) : null;
  list.replaceChildren(...(rows.length ? rows : [make("li", { class: "empty" }, empty)]));
  if (held) document.querySelector(held)?.focus({ preventScroll: true });
}

// Where a button of a row stands, so that the one drawn in its place can be found.
export function placeOf(element) {
  const row = element?.closest("[data-deal], [data-stage], [data-leg], [data-outcome]");
  if (!row) return null;
  const marks = Object.entries(row.dataset).map(([name, value]) => `[data-${name}="${CSS.escape(value)}"]`).join("");
  return `#${row.closest("section").id} ${marks} button`;
}
