// The panels of a page. Each asks its own question, is drawn again when it has to be, and shows its own failure.
import { make } from "./dom.js";
import { say } from "./say.js";

// A panel is
//   id, title(answer)           its section and heading; the answer is null before the first
//   lays(page)                  what stands below the heading, made once
//   asks(asked)                 its question: [path, parameters]
//   draws(section, answer, page)
//   redrawsOn                   the types of events after which the answer may be another; "*" for all
// and `page` is what panels share: what is asked, and the way to the deals behind a figure.
export function board(main, panels, page, ask) {
  const root = document.documentElement;
  const mounted = panels.map((panel, place) => mount(panel, place ? "h2" : "h1", page, ask));
  main.replaceChildren(...mounted.map(({ section }) => section));

  async function draw(chosen) {
    await Promise.all(chosen.map(({ redraw }) => redraw()));
    // For whoever waits until the figures stand.
    root.dataset.drawn = String(Number(root.dataset.drawn ?? 0) + 1);
  }

  return {
    drawAll: () => draw(mounted),
    drawAfter: (types) => draw(mounted.filter(({ isConcerned }) => isConcerned(types))),
  };
}

function mount(panel, level, page, ask) {
  const heading = make(level, { id: `${panel.id}-title` }, panel.title(null));
  const failure = make("p", { class: "failed", role: "status", hidden: true });
  const body = panel.lays(page);
  const section = make("section", { id: panel.id, "aria-labelledby": heading.id }, heading, failure, ...body);

  async function drawOnce() {
    try {
      const answer = await ask(...panel.asks(page.asked()));
      heading.textContent = panel.title(answer);
      panel.draws(section, answer, page);
      failure.hidden = true;
    } catch (error) {
      failure.textContent = say("page.failed", { reason: error.message });
      failure.hidden = false;
    }
  }

  // What failed is tried again with whatever happens next.
  const isConcerned = (types) => !failure.hidden || panel.redrawsOn.some((type) => type === "*" || types.has(type));

  return { section, isConcerned, redraw: oneAtATime(drawOnce) };
}

// Runs an action; asked for while it runs, it runs once more afterwards, for all who asked.
function oneAtATime(action) {
  let running = null, again = false;

  async function run() {
    do {
      again = false;
      await action();
    } while (again);
    running = null;
  }

  return () => {
    again = true;
    running ??= run();
    return running;
  };
}
