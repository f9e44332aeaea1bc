// The manager's page: which panels it has, in which order. Each is one question to /v1, and `lib/board.js` says what a
// panel is. The address holds what is asked.
import { asked, narrowing } from "./lib/address.js";
import { get } from "./lib/api.js";
import { board } from "./lib/board.js";
import { drillDown } from "./lib/drill.js";
import { notice, sayLive, start } from "./lib/header.js";
import { follow } from "./lib/live.js";
import { say } from "./lib/say.js";
import changes from "./panels/changes.js";
import conformance from "./panels/conformance.js";
import dangers from "./panels/dangers.js";
import events from "./panels/events.js";
import funnel from "./panels/funnel.js";
import health from "./panels/health.js";
import quarter from "./panels/quarter.js";

const PANELS = [quarter, dangers, changes, funnel, health, events, conformance];
// Figures also change because days pass, and by what is not told to whoever looks.
const REDRAW_MS = 10 * 60 * 1000;

// For whoever waits for that (`reload.js`).
document.documentElement.dataset.started = "true";

const ask = (path, parameters) => get(path, { ...narrowing(), ...parameters });

function show() {
  const page = { asked, drill: drillDown(document.querySelector("#drill"), ask) };
  const { drawAll, drawAfter } = board(document.querySelector("main"), PANELS, page, ask);
  return start(drawAll).then(() => {
    follow({ happened: drawAfter, returned: drawAll, says: sayLive });
    setInterval(drawAll, REDRAW_MS);
    drawAll();
  });
}

show().catch((error) => notice(say("page.start-failed", { reason: error.message })));
