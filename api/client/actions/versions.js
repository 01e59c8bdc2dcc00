// The user's actions that ask for another version: of a reply, or of a message. `page` is described in actions.js.

import { isShown } from "../state/versions.js";
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
export async function rewrite({ api, read, settled }, id) {
  const { openChat, messages } = read();
  const { content } = messages.find((message) => message.id === id);
  const keys = {}; // a text that is sent again is the same request
  askForText({ title: "Edit message", value: content, yes: "Send" }, (text) => {
    const key = (keys[text] ??= newKey());
    return settled(persistently(() => api.rewrite(openChat, id, text, key)));
  });
}

export async function show({ api, read, settled }, id) {
  await settled(api.show(read().openChat, id));
}

// Opens a new chat with everything before this message, and its text in the composer (D-193).
export async function branch(page, id) {
  if (around(page, id).isCut) await earlierMessages(page);
  const { before, content } = around(page, id);
  const { openChat } = page.read();
  const key = newKey();
  const chat = await persistently(() => (before ? page.api.fork(openChat, before.id, key) : page.api.createChat()));
  page.dispatch("chat.created", chat);
  page.dispatch("typed.returned", { chatSessionId: chat.id, text: content });
  location.hash = chat.id;
  await openFromAddress(page);
}

// The text of a message, and the message before it. `isCut`: that one is on an earlier page.
function around({ read }, id) {
  const { messages, earlierCursor } = read();
  const rows = messages.filter(isShown);
  const at = rows.findIndex((message) => message.id === id);
  return { content: rows[at].content, before: rows[at - 1], isCut: at === 0 && earlierCursor !== null };
}
