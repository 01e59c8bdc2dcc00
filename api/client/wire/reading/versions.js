// Reads the versions of messages that the page found in the history, one message after the other.

import { allPages, isGone } from "../pages.js";

const AGAIN = 5_000; // ms; the wait after a failed try

export function createVersions({ api, dispatch, read }) {
  let busy = false;

  async function look() {
    const { openChat: chatSessionId, unversioned } = read();
    if (busy || unversioned.length === 0) return;
    busy = true;
    const [id] = unversioned;
    const items = await versionsOf(chatSessionId, id);
    busy = false;
    if (items) dispatch("messages.versions", { chatSessionId, id, items });
    setTimeout(look, items ? 0 : AGAIN);
  }

  // Nothing if the server did not answer.
  function versionsOf(chatSessionId, id) {
    return allPages((cursor) => api.versions(chatSessionId, id, cursor)).catch((problem) => isGone(problem) && []);
  }

  return { look };
}
