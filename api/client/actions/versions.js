// The user's actions that ask for another version: of a reply, or of a message. `page` is described in actions.js.

import { askForText } from "../views/message/editor.js";
import { newKey, persistently } from "../wire/outbox.js";
import { earlierMessages } from "../wire/pages.js";
import { openFromAddress } from "./chats.js";

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
  const { content } = find(messages, id);
  askForText({ title: "Edit message", value: content, yes: "Send" }, (text) => {
    const key = newKey();
    return page.settled(persistently(() => page.api.rewrite(openChat, id, text, key)));
  });
}

export async function show(page, id) {
  await page.settled(page.api.show(page.read().openChat, id));
}

// Opens a new chat with everything before this message, and its text in the composer (D-213).
export async function branch(page, id) {
  const { content } = find(page.read().messages, id);
  if (isFirst(page.read(), id) && page.read().earlierCursor) await earlierMessages(page);
  const { messages, openChat } = page.read();
  const before = shown(messages)[place(messages, id) - 1];
  const key = newKey();
  const chat = await persistently(() => (before ? page.api.fork(openChat, before.id, key) : page.api.createChat()));
  page.dispatch("chat.created", chat);
  page.dispatch("typed.returned", { chatSessionId: chat.id, text: content });
  location.hash = chat.id;
  await openFromAddress(page);
}

const find = (messages, id) => messages.find((message) => message.id === id);
const shown = (messages) => messages.filter((message) => message.shown !== false);
const place = (messages, id) => shown(messages).findIndex((message) => message.id === id);
const isFirst = ({ messages }, id) => place(messages, id) === 0;
