// The queue of the open chat: replies that no worker has had yet, each with its question. Pure functions.

const OPEN = ["pending", "running"];

export const empty = {
  places: {}, // id of a waiting reply -> its {ahead, estimatedStartAt, noWorker}, as the server last said
};

export const isReply = ({ messageType }) => messageType.startsWith("ai_");
export const isOpen = (message) => isReply(message) && OPEN.includes(message.status);
export const waits = (message) => isReply(message) && message.status === "pending" && message.attempt === 0;

export function placed(state, { chatSessionId, items }) {
  if (chatSessionId !== state.openChat) return state;
  const waiting = items.filter(({ queue }) => queue);
  return { ...state, places: Object.fromEntries(waiting.map(({ id, queue }) => [id, queue])) };
}

// The names of all that waits, in its order. The server knows a pair by its question, and a later version by itself.
export function namesOf(messages) {
  const ids = new Set(messages.map(({ id }) => id));
  const replies = messages.filter(waits);
  return replies.map(({ id, replyTo, version }) => (version === 1 && ids.has(replyTo) ? replyTo : id));
}

// Changes whenever the places in the queue may have changed. Empty if nothing waits.
export function queueMark({ chats, openChat, messages }) {
  if (!messages.some(waits)) return "";
  const open = messages.filter(isOpen);
  const parked = chats.find(({ id }) => id === openChat)?.parked;
  return [openChat, parked, ...open.map(({ id, status, position }) => `${id} ${status} ${position}`)].join();
}
