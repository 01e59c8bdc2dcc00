// The user's actions on what waits in the open chat. `page` is described in actions.js.

import { isOpen, namesOf, waits } from "../state/waiting.js";
import { allPages } from "../wire/pages.js";

export const moveUp = (page, id) => move(page, id, (at) => at - 1);
export const moveDown = (page, id) => move(page, id, (at) => at + 1);

// Puts a waiting reply first, and stops the reply that runs. A chat that is paused goes on (D-194).
export async function sendNow(page, id) {
  const { openChat, messages } = page.read();
  const running = messages.find((message) => isOpen(message) && !waits(message));
  await move(page, id, () => 0);
  if (running) await page.settled(page.api.stop(openChat, running.id));
  await resume(page);
}

// Ends the parking of the open chat, so its pending replies get their turn.
export async function resume({ api, dispatch, read }) {
  dispatch("chat.updated", await api.resume(read().openChat));
}

// Removes a waiting reply with its question.
export async function dequeue(page, id) {
  const { openChat, messages } = page.read();
  await page.settled(page.api.dequeue(openChat, nameOf(messages, id)));
}

// Asks for the queue first, because the server takes the order of all that waits.
async function move(page, id, placed) {
  const { openChat } = page.read();
  const items = await allPages((cursor) => page.api.queue(openChat, cursor));
  const order = namesOf(items);
  const at = order.indexOf(nameOf(items, id));
  if (at < 0) return;
  const [name] = order.splice(at, 1);
  order.splice(Math.max(placed(at), 0), 0, name);
  await page.settled(page.api.reorder(openChat, order, Math.max(...items.map(({ seq }) => seq))));
}

const nameOf = (messages, id) => namesOf(messages)[messages.filter(waits).findIndex((one) => one.id === id)];
