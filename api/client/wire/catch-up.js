// Asks the server for every change after the cursor, until there is no more.

import { closeIfGone, openMessages } from "./pages.js";

// At most one catch-up runs. A call during a catch-up makes it ask once more.
export function createCatchUp(page) {
  let asked = false;
  let running = null;

  async function rounds() {
    while (asked) {
      asked = false;
      while (await isMore(page)) continue;
    }
    const { openChat, loaded } = page.read();
    if (openChat && !loaded) await openMessages(page);
  }

  return function catchUp() {
    asked = true;
    running ??= rounds().finally(() => (running = null));
    return running;
  };
}

// Takes one page of changes. True if there are more.
async function isMore(page) {
  const { cursor } = page.read();
  const found = await page.api.sync(cursor);
  if (cursor !== null && !found.reset) page.dispatch("synced", found);
  else await readAnew(page, found);
  return found.reset || found.hasMore || cursor === null;
}

// Reads everything on the screen. A change during the reading has a number after the cursor, so it is read next.
async function readAnew(page, { cursor, credits }) {
  const { api, dispatch, read } = page;
  const { openChat } = read();
  const messages = openChat && (await api.messages(openChat).catch((problem) => closeIfGone(page, openChat, problem)));
  dispatch("anew", { cursor, credits, chats: await api.chats(), messages });
}
