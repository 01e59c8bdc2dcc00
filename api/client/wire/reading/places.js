// Reads the places in the queue of the open chat, again and again. They change without an event (D-192).

import { queueMark } from "../../state/waiting.js";
import { allPages } from "../pages.js";

const SOON = 400; // ms; most replies begin earlier, and then nobody asks for their places
const AGAIN = 5_000; // ms

export function createPlaces({ api, dispatch, read }) {
  let mark = "";
  let timer = null;

  function look() {
    const now = queueMark(read());
    if (now === mark) return;
    mark = now;
    askIn(SOON);
  }

  function askIn(wait) {
    clearTimeout(timer);
    timer = mark ? setTimeout(ask, wait) : null;
  }

  async function ask() {
    const { openChat: chatSessionId } = read();
    askIn(AGAIN);
    if (document.hidden) return;
    const items = await allPages((cursor) => api.queue(chatSessionId, cursor)).catch(() => null);
    if (items) dispatch("queue.read", { chatSessionId, items });
  }

  return { look };
}
