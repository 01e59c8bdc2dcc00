// The user's actions in the open chat. `page` is described in actions.js.

import { write } from "../views/composer.js";
import { createAndOpen, nameAfter, titleFrom } from "./chats.js";

const FIRST = 0; // the position of the first message in a chat

// Waits for a chat that is still being made. Without the wait, a fast message would go to the previous chat.
export async function send(page, content) {
  const id = await page.inTurn(() => page.read().openChat ?? chatFor(page, content));
  const posted = await page.outbox.send(id, content);
  if (posted?.message.position === FIRST) await nameAfter(page, id, content);
}

// Makes a chat for a message that has none. If that fails, the message goes back into the composer.
async function chatFor(page, content) {
  try {
    return await createAndOpen(page, titleFrom(content));
  } catch (problem) {
    write(content);
    throw problem;
  }
}

export async function retry({ outbox, read }, key) {
  await outbox.retry(draft(read(), key));
}

export async function edit({ outbox, read }, key) {
  write(draft(read(), key).content);
  outbox.discard(key);
}

function draft({ drafts }, key) {
  return drafts.find((one) => one.key === key);
}

export async function stop({ api, dispatch, read }, id) {
  dispatch("message.cancelled", await api.stop(read().openChat, id));
}

// The server deletes the replies to the message too.
export async function removeMessage({ api, dispatch, read }, id) {
  const { openChat, messages } = read();
  await api.deleteMessage(openChat, id);
  const gone = messages.filter((message) => message.id === id || message.replyTo === id);
  gone.forEach((message) => dispatch("message.deleted", { id: message.id }));
}
