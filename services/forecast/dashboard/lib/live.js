// The client of the event stream: says of which types something happened, the events of a moment at once.
import { get } from "./api.js";

const RECONNECT_MS = 2000;
const QUIET_MS = 120;

// `happened(types)` hears of events, `returned()` that some may have been missed, `says(live)` how the line is.
export function follow({ happened, returned, says }) {
  const types = new Set();
  let away = false;

  function tell() {
    const told = new Set(types);
    types.clear();
    happened(told);
  }

  function connect() {
    const source = new EventSource("/v1/stream");
    source.onopen = () => {
      says(true);
      if (away) returned();
      away = false;
    };
    source.onmessage = ({ data }) => {
      if (!types.size) setTimeout(tell, QUIET_MS);
      types.add(JSON.parse(data).type);
    };
    // The log of the service was restored: what was known of it may not have happened.
    source.addEventListener("reset", returned);
    source.onerror = () => {
      says(false);
      away = true;
      // The browser connects again by itself after a broken line, but never after an answer other than 200: the session
      // has ended, or the service starts.
      if (source.readyState === EventSource.CLOSED) setTimeout(connectAgain, RECONNECT_MS);
    };
  }

  // Asking leads to the sign-in once the session has ended.
  const connectAgain = () => get("/v1/me").then(connect, () => setTimeout(connectAgain, RECONNECT_MS));

  connect();
}
