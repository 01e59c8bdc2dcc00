// The user's actions that ask for another version: of a reply, or of a message. `page` is described in actions.js.

import { isShown } from "../state/versions.js";
import { askForText } from "../views/message/editor.js";
import { newKey, persistently } from "../wire/outbox.js";
import { earlierMessages } from "../wire/pages.js";
import { openFromAddress } from "./chats.js";
import { editing } from "./typing.js";

const keys = new Map(); // message and its new text -> the key of that request, until it has succeeded

export const again = (page, id) => ask(page, id, "retry");
export const regenerate = (page, id) => ask(page, id, "regenerate");
export const goOn = (page, id) => ask(page, id, "continue");

async function ask(page, id, verb) {
  const { openChat } = page.read();
  const key = newKey();
  await page.settled(persistently(() => page.api.again(openChat, id, verb, key)));
}

// A message that waits gets the new text. Any other is kept, and the new text is another version of it.
export async function rewrite(page, id) {
  const { openChat, messages } = page.read();
  const { content } = messages.find((message) => message.id === id);
  askForText({
    ...editing(page, id, content),
    save: (text) => saveText(page, openChat, id, text),
    say: (reason) => page.dispatch("notice", `Your edit was not saved: ${reason}`),
  });
}

// A text that is sent again is the same request.
async function saveText({ api, settled }, chatId, id, text) {
  const request = JSON.stringify([id, text]);
  if (!keys.has(request)) keys.set(request, newKey());
  await settled(persistently(() => api.rewrite(chatId, id, text, keys.get(request))));
  keys.delete(request);
}

export async function show({ api, read, settled }, id) {
  await settled(api.show(read().openChat, id));
}

// Opens a new chat with everything before this message, and its text in the composer (D-193).
export async function branch(page, id) {
  if (around(page, id).isCut) await earlierMessages(page);
  const { before, content } = around(page, id);
  const chat = await (before ? forked(page, before.id) : page.api.createChat(await alike(page)));
  page.dispatch("chat.created", chat);
  page.dispatch("typed.returned", { chatSessionId: chat.id, text: content });
  location.hash = chat.id;
  await openFromAddress(page);
}

async function forked({ api, read }, id) {
  const { openChat } = read();
  const key = newKey();
  return persistently(() => api.fork(openChat, id, key));
}

// Before the first message there is nothing to fork at. So the new chat gets what a fork would keep. That request
// carries no key, and it is not tried again, else a lost answer would leave two chats (D-228).
async function alike({ api, read }) {
  const { openChat, chats, models } = read();
  const { title, titleSource, settings } = chats.find(({ id }) => id === openChat) ?? (await api.chat(openChat));
  const model = models.includes(settings.model) ? settings.model : null;
  return { ...(titleSource === "user" && { title }), settings: { ...settings, model } };
}

// The text of a message, and the message before it. `isCut`: that one is on an earlier page.
function around({ read }, id) {
  const { messages, earlierCursor } = read();
  const rows = messages.filter(isShown);
  const at = rows.findIndex((message) => message.id === id);
  return { content: rows[at].content, before: rows[at - 1], isCut: at === 0 && earlierCursor !== null };
}
