// The user's actions in the open chat. `page` is described in actions.js.

import { focus } from "../views/composer.js";

// A message without a chat waits in the outbox until it has one.
export async function send({ outbox, read }, content) {
  await outbox.send(read().openChat, content);
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
