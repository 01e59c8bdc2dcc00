// The user's actions on chats. `page` is described in actions.js.

import { shelfOf } from "../state/chats.js";
import { focus } from "../views/composer.js";
import { openMessages, readBackTo } from "../wire/pages.js";

// Opens the chat that the address names, else the first chat of the list. The address may name a message too.
export async function openFromAddress(page) {
  const [named, messageId] = location.hash.slice(1).split("/");
  const id = named || shelfOf({ ...page.read(), archiveShown: false })[0]?.id;
  if (!id) return;
  history.replaceState(null, "", `#${id}`); // a reload opens the same chat, and a link to a message works again
  if (id !== page.read().openChat) {
    page.dispatch("chat.opened", id);
    await openMessages(page);
  }
  if (messageId) await find(page, id, messageId);
}

async function find(page, chatId, messageId) {
  const isThere = await readBackTo(page, messageId);
  if (page.read().openChat !== chatId) return;
  if (isThere) page.dispatch("message.found", messageId);
  else page.dispatch("notice", "This message has been deleted.");
}

// The user may type and send at once. All that belongs to the new chat as soon as the server has made it.
export async function newChat(page) {
  history.pushState(null, "", location.pathname);
  page.dispatch("chat.opened", null);
  focus();
  await page.makeChat();
}

export async function rename({ api, dispatch }, id, title) {
  dispatch("chat.updated", await api.changeChat(id, { title }));
}

export async function remove({ api, dispatch }, id) {
  await api.deleteChat(id);
  dispatch("chat.deleted", { id });
}
