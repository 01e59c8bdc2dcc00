// Reading from REST what events don't bring: the first look, whatever was missed while the socket was
// away, text with a gap in it, and replies about which nothing has been heard for a while.

import { isFinal } from "../state/messages.js";

const QUIET = 5_000; // ms without an event before an unfinished reply is asked for
const QUIET_AT_MOST = 30_000;
const GAP = 300; // ms that what is missing is given to come by itself
const GAP_AT_MOST = 5_000;
const GONE = [403, 404];

export function createSync({ api, dispatch, read }) {
  let quiet = QUIET;
  let timer = null;
  let gap = null;
  let asked = false;
  let catching = null;
  const reading = new Set();

  // One at a time; who asks while one is under way has it look once more.
  function catchUp() {
    asked = true;
    catching ??= rounds().finally(() => (catching = null));
    return catching;
  }

  async function rounds() {
    while (asked) {
      asked = false;
      while (await isMore()) continue;
    }
    if (read().openChat && !read().loaded) await openMessages();
  }

  async function isMore() {
    const { cursor } = read();
    const page = await api.sync(cursor);
    if (cursor !== null && !page.reset) dispatch("synced", page);
    else await anew(page);
    return page.reset || page.hasMore || cursor === null;
  }

  // Reads all that is on the screen. What changes meanwhile has a number after the cursor.
  async function anew({ cursor, credits }) {
    const { openChat } = read();
    const messages = openChat && (await api.messages(openChat).catch((problem) => closeIfGone(openChat, problem)));
    dispatch("anew", { cursor, credits, chats: await api.chats(), messages });
  }

  function closeIfGone(id, problem) {
    if (!GONE.includes(problem.status)) throw problem;
    if (read().openChat === id) dispatch("chat.opened", null);
  }

  async function moreChats() {
    dispatch("chats.more", await api.chats(read().chatsCursor));
  }

  async function openMessages() {
    const { openChat: chatSessionId } = read();
    if (!chatSessionId) return;
    const page = await api.messages(chatSessionId).catch((problem) => {
      closeIfGone(chatSessionId, problem);
      throw problem;
    });
    dispatch("messages.loaded", { chatSessionId, ...page });
  }

  async function earlierMessages() {
    const { openChat: chatSessionId, earlierCursor } = read();
    dispatch("messages.earlier", { chatSessionId, ...(await api.messages(chatSessionId, earlierCursor)) });
  }

  // What is missing may still be on its way.
  function fillGaps() {
    if (read().later.length > 0) gap ??= setTimeout(fillGap, GAP);
    read().wanted.filter((id) => !reading.has(id)).forEach(fillText);
  }

  function fillGap() {
    gap = null;
    if (read().later.length > 0) catchUp().catch(() => {}); // else ask() tries again
  }

  async function fillText(id) {
    reading.add(id);
    for (let wait = GAP; await stillWanted(id, wait); wait = Math.min(wait * 2, GAP_AT_MOST)) {
      await api.message(read().openChat, id).then((found) => dispatch("message.updated", found), () => {});
    }
    reading.delete(id);
  }

  async function stillWanted(id, wait) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    return read().wanted.includes(id);
  }

  function heard(chatSessionId) {
    if (chatSessionId === read().openChat) watch(QUIET);
  }

  function watch(wait) {
    quiet = wait;
    clearTimeout(timer);
    timer = setTimeout(ask, quiet);
  }

  async function ask() {
    const { later, messages } = read();
    const open = later.length > 0 || messages.some((one) => !isFinal(one));
    if (open) await catchUp().catch(() => {});
    watch(open ? Math.min(quiet * 2, QUIET_AT_MOST) : QUIET);
  }

  watch(QUIET);
  return { catchUp, moreChats, openMessages, earlierMessages, fillGaps, heard };
}
