// Reads rows of chats that the list lacks: that of the open chat, and the archived ones when the user looks at them.

import { closeIfGone } from "../pages.js";

const AGAIN = 5_000; // ms; the wait after a failed try

export function createRows({ api, dispatch, read }) {
  let busy = false;

  async function look() {
    const ask = question(read());
    if (!ask || busy) return;
    busy = true;
    const isRead = await ask().then(() => true, () => false);
    setTimeout(() => {
      busy = false;
      look();
    }, isRead ? 0 : AGAIN);
  }

  function question({ cursor, openChat, chats, archiveShown, archiveRead }) {
    if (cursor === null) return null;
    if (openChat && !chats.some(({ id }) => id === openChat)) return () => readChat(openChat);
    return archiveShown && !archiveRead ? readArchive : null;
  }

  async function readChat(id) {
    const chat = await api.chat(id).catch((problem) => closeIfGone({ dispatch, read }, id, problem));
    if (chat) dispatch("chat.updated", chat);
  }

  async function readArchive() {
    dispatch("archive.more", await api.archived());
  }

  return { look };
}
