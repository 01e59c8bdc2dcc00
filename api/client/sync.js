// Reading from REST what events don't bring: the first look, whatever was missed while the socket was
// away, text with a gap in it, and replies about which nothing has been heard for a while.

import { isFinal } from "./messages.js";

const QUIET = 5_000; // ms without an event before an unfinished reply is asked for
const QUIET_AT_MOST = 30_000;
const GAP = 300; // ms that a missing piece of text is given to come by itself
const GAP_AT_MOST = 5_000;
const GONE = [403, 404];

export function createSync({ api, dispatch, read }) {
  let quiet = QUIET;
  let timer = null;
  const reading = new Set();

  async function chats() {
    const known = read().chats.map(({ id }) => id);
    dispatch("chats.loaded", { ...(await api.chats()), known });
  }

  async function moreChats() {
    dispatch("chats.more", await api.chats(read().chatsCursor));
  }

  async function openMessages() {
    const { openChat: chatSessionId } = read();
    if (!chatSessionId) return;
    const page = await api.messages(chatSessionId).catch((problem) => closeIfGone(chatSessionId, problem));
    dispatch("messages.loaded", { chatSessionId, ...page });
  }

  function closeIfGone(id, problem) {
    if (GONE.includes(problem.status) && read().openChat === id) dispatch("chat.opened", null);
    throw problem;
  }

  async function earlierMessages() {
    const { openChat: chatSessionId, earlierCursor } = read();
    dispatch("messages.earlier", { chatSessionId, ...(await api.messages(chatSessionId, earlierCursor)) });
  }

  async function message(id) {
    dispatch("message.updated", await api.message(read().openChat, id));
  }

  function fillGaps() {
    read().wanted.filter((id) => !reading.has(id)).forEach(fillGap);
  }

  async function fillGap(id) {
    reading.add(id);
    for (let wait = GAP; await stillWanted(id, wait); wait = Math.min(wait * 2, GAP_AT_MOST)) {
      await message(id).catch(() => {});
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
    const open = read().messages.filter((one) => !isFinal(one));
    await Promise.allSettled(open.map(({ id }) => message(id)));
    watch(open.length ? Math.min(quiet * 2, QUIET_AT_MOST) : QUIET);
  }

  watch(QUIET);
  return { chats, moreChats, openMessages, earlierMessages, fillGaps, heard };
}
