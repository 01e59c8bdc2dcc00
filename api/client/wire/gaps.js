// Reads missing changes and missing text. They may still arrive by themselves, so each is given a moment first.

import { isGone } from "./pages.js";

const GAP = 300; // ms; the first wait for something that is missing
const GAP_AT_MOST = 5_000; // ms

export function createGaps({ api, dispatch, read, catchUp }) {
  const reading = new Set(); // ids of messages
  let timer = null;

  function fillGaps() {
    if (read().later.length > 0) timer ??= setTimeout(fillGap, GAP);
    read().wanted.filter((id) => !reading.has(id)).forEach(fillText);
  }

  function fillGap() {
    timer = null;
    if (read().later.length > 0) catchUp().catch(() => {}); // silence.js tries again
  }

  async function fillText(id) {
    reading.add(id);
    for (let wait = GAP; await stillWanted(id, wait); wait = Math.min(wait * 2, GAP_AT_MOST)) {
      await api.message(read().openChat, id).then(
        (found) => isWanted(id) && dispatch("message.updated", found),
        (problem) => isGone(problem) && isWanted(id) && dispatch("message.deleted", { id }),
      );
    }
    reading.delete(id);
  }

  async function stillWanted(id, wait) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    return isWanted(id);
  }

  function isWanted(id) {
    return read().wanted.includes(id);
  }

  return fillGaps;
}
