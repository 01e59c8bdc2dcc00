// The user's actions in the open chat. `page` is described in actions.js.

import { focus } from "../views/composer.js";
import { createAndOpen } from "./chats.js";

// Waits for a chat that is still being made. Without the wait, a fast message would go to the previous chat.
export async function send(page, content) {
  const id = await page.inTurn(() => page.read().openChat ?? chatFor(page, content));
  await page.outbox.send(id, content);
}

// Makes a chat for a message that has none. If that fails, the message goes back into the composer.
// The chat gets no title, because a title that the server refuses would stop the message.
async function chatFor(page, content) {
  try {
    return await createAndOpen(page);
  } catch (problem) {
    page.dispatch("typed.returned", { chatSessionId: null, text: content });
    throw problem;
  }
}

export async function retry({ outbox, read }, key) {
  await outbox.retry(draft(read(), key));
}

export async function edit({ outbox, dispatch, read }, key) {
  const { chatSessionId, content } = draft(read(), key);
  dispatch("typed.returned", { chatSessionId, text: content });
  outbox.discard(key);
  focus();
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
