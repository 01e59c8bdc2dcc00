// The open chat: its messages in order, then the drafts. A view at the bottom stays at the bottom as text grows.

import { ask } from "./ask.js";
import { createMessage, showMessage } from "./message.js";

const NEAR = 48; // px; a view this close to the bottom counts as at the bottom

const scroll = document.querySelector(".scroll");
const log = document.querySelector(".messages");
const earlier = document.querySelector("[data-action=earlier]");
const hint = document.querySelector(".hint");
const shown = new Map(); // id -> {element, message}
let stuck = true; // true while the view follows the bottom
let top = 0;

export function setUpConversation({ earlierMessages, retry, edit, stop, removeMessage }) {
  earlier.addEventListener("click", earlierMessages);
  const press = { retry, edit, stop, remove: (id) => askToRemove(() => removeMessage(id)) };
  log.addEventListener("click", ({ target }) => {
    press[target.dataset.action]?.(target.closest("article").dataset.messageId);
  });
  // Fast text is drawn later than its message, and a phone's keyboard shrinks the view. Both move the bottom.
  new ResizeObserver(() => stuck && toBottom()).observe(log);
  new ResizeObserver(() => stuck && toBottom()).observe(scroll);
  scroll.addEventListener("scroll", follow, { passive: true });
}

async function askToRemove(remove) {
  const text = "This can't be undone. If it is your own message, its answer is deleted too.";
  if ((await ask({ title: "Delete message?", text, yes: "Delete" })) !== null) remove();
}

// Only the reader moves the view up. Text that grew since the last frame moves the bottom down, and the view stays.
function follow() {
  const up = scroll.scrollTop < top;
  top = scroll.scrollTop;
  if (fromBottom() < NEAR) stuck = true;
  else if (up) stuck = false;
}

const fromBottom = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight;
const toBottom = () => (scroll.scrollTop = scroll.scrollHeight);

export function showConversation(state, before) {
  const same = ["messages", "drafts", "openChat", "loaded"].every((part) => state[part] === before[part]);
  if (same) return;
  const distance = fromBottom();
  const rows = visible(state);
  if (state.openChat !== before.openChat || added(state, before)) stuck = true;
  forgetAllBut(rows);
  rows.forEach(place);
  earlier.hidden = !state.earlierCursor;
  hint.hidden = rows.length > 0 || (state.openChat !== null && !state.loaded);
  scroll.scrollTop = stuck ? scroll.scrollHeight : keptAt(state, before, distance);
}

function visible({ openChat, messages, drafts }) {
  const mine = drafts.filter(({ chatSessionId, echoed }) => chatSessionId === openChat && !echoed);
  const seen = messages.filter(({ shown }) => shown !== false);
  return [...seen, ...mine.map((draft) => ({ ...draft, id: draft.key, messageType: "user" }))];
}

const added = (state, before) => state.drafts.length > before.drafts.length;

function forgetAllBut(rows) {
  const ids = new Set(rows.map(({ id }) => id));
  for (const [id, { element }] of shown) {
    if (ids.has(id)) continue;
    element.remove();
    shown.delete(id);
  }
}

function place(message, at) {
  const known = shown.get(message.id);
  const element = known?.element ?? createMessage(message.id);
  if (log.children[at] !== element) log.insertBefore(element, log.children[at] ?? null);
  if (known?.message === message) return;
  showMessage(element, message);
  shown.set(message.id, { element, message });
}

// Older messages appear above. The text that the user reads stays in its place on the screen.
function keptAt(state, before, distance) {
  const above = state.messages[0]?.id !== before.messages[0]?.id;
  return above ? scroll.scrollHeight - scroll.clientHeight - distance : scroll.scrollTop;
}
