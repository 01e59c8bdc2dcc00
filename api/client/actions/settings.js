// The user changes the settings of the open chat, or moves it to the archive. `page` is described in actions.js.

import { askForSettings } from "../views/chats/settings.js";

export async function configure({ api, dispatch, read }) {
  const { openChat, chats } = read();
  const chat = chats.find(({ id }) => id === openChat);
  if (chat) askForSettings(chat, async (changes) => dispatch("chat.updated", await api.changeChat(openChat, changes)));
}

export async function showArchive({ dispatch }, shown) {
  dispatch("archive.shown", shown);
}

export async function moreArchived({ api, dispatch, read }) {
  dispatch("archive.more", await api.archived(read().archiveCursor));
}
