// The user's actions on chats. `page` is described in actions.js.

import { focus } from "../views/composer.js";
import { openMessages } from "../wire/pages.js";

// Opens the chat that the address names, else the first chat of the list.
export async function openFromAddress(page) {
  const { chats, openChat } = page.read();
  const id = location.hash.slice(1) || chats[0]?.id;
  if (!id || id === openChat) return;
  page.dispatch("chat.opened", id);
  await openMessages(page);
}

// The user may type and send at once. All that belongs to the new chat as soon as the server has made it.
export async function newChat(page) {
  history.pushState(null, "", location.pathname);
  page.dispatch("chat.opened", null);
  focus();
  await page.makeChat();
}

export async function rename({ api, dispatch }, id, title) {
  dispatch("chat.updated", await api.renameChat(id, title));
}

export async function remove({ api, dispatch }, id) {
  await api.deleteChat(id);
  dispatch("chat.deleted", { id });
}
