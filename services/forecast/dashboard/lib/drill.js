// The dialog with the rows behind a figure, a page of them at a time.
import { make, placeOf } from "./dom.js";
import { say } from "./say.js";

// Gives `open(title, path, parameters, table)`; `table(answer, open)` is { heads, sum, rows }.
export function drillDown(dialog, ask) {
  const parts = ["h2", ".sum", "thead", "tbody", ".more"].map((part) => dialog.querySelector(part));
  const [title, sum, heads, rows, more] = parts;
  let current = null;

  async function open(name, path, parameters, table) {
    title.textContent = name;
    sum.textContent = "…";
    for (const part of [heads, rows, more]) part.replaceChildren();
    show();
    current = { name };
    await add(current, path, parameters, table);
  }

  // An answer that comes after another figure was opened is dropped.
  async function add(drilled, path, parameters, table) {
    more.replaceChildren();
    try {
      const answer = await ask(path, parameters);
      if (current !== drilled) return;
      const shown = table(answer, open);
      sum.textContent = shown.sum;
      heads.replaceChildren(make("tr", {}, ...shown.heads.map(head)));
      rows.append(...shown.rows);
      if (!answer.next) return;
      const further = () => add(drilled, path, { ...parameters, cursor: answer.next }, table);
      more.replaceChildren(make("button", { class: "link", type: "button", onclick: further }, say("page.drill.more")));
    } catch (error) {
      if (current === drilled) sum.textContent = error.message;
    }
  }

  // Once closed, the focus is where it was, also when that was drawn anew meanwhile.
  function show() {
    if (dialog.open) return;
    const opener = document.activeElement, held = placeOf(opener);
    const goBack = () => { if (held && !opener.isConnected) document.querySelector(held)?.focus(); };
    dialog.addEventListener("close", goBack, { once: true });
    dialog.showModal();
  }

  return open;
}

// A name with "#" stands over numbers.
const head = (name) =>
  make("th", { scope: "col", class: name.startsWith("#") ? "number" : null }, name.replace("#", ""));
