// The user changes the settings of the open chat, or moves it to the archive. `page` is described in actions.js.

import { askForSettings } from "../views/chats/settings.js";
import { editing } from "./typing.js";

export async function configure(page) {
  const { api, dispatch, read } = page;
  const { openChat, chats } = read();
  const chat = chats.find(({ id }) => id === openChat);
  if (!chat) return;
  askForSettings(chat, {
    ...editing(page, "instructions", chat.settings.instructions ?? ""),
    save: async (changes) => dispatch("chat.updated", await api.changeChat(openChat, changes)),
    say: (reason) => dispatch("notice", `The settings were not saved: ${reason}`),
  });
}

export async function showArchive({ dispatch }, shown) {
  dispatch("archive.shown", shown);
}

export async function moreArchived({ api, dispatch, read }) {
  dispatch("archive.more", await api.archived(read().archiveCursor));
}
