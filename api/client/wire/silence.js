// Catches up if something is unfinished and the open chat has had no event for a while.
// As long as the silence lasts, each wait is longer than the last.

import { isFinal } from "../state/messages.js";

const QUIET = 5_000; // ms without an event; then an unfinished reply is asked for
const QUIET_AT_MOST = 30_000; // ms

export function createSilence({ read, catchUp }) {
  let quiet = QUIET;
  let timer = null;

  function heard(chatSessionId) {
    if (chatSessionId === read().openChat) watch(QUIET);
  }

  function watch(wait) {
    quiet = wait;
    clearTimeout(timer);
    timer = setTimeout(ask, quiet);
  }

  async function ask() {
    const { behind, later, messages } = read();
    const unfinished = behind || later.length > 0 || messages.some((one) => !isFinal(one));
    if (unfinished) await catchUp().catch(() => {});
    watch(unfinished ? Math.min(quiet * 2, QUIET_AT_MOST) : QUIET);
  }

  watch(QUIET);
  return { heard };
}
