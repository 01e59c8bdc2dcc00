// The open chat: its messages in order, then the drafts. A view at the bottom stays at the bottom as text grows.

import { rowsOf, sameRow } from "../state/rows.js";
import { ask } from "./ask.js";
import { createMessage, showMessage } from "./message.js";
import { setUpButtons } from "./message/buttons.js";

const NEAR = 48; // px; a view this close to the bottom counts as at the bottom

const scroll = document.querySelector(".scroll");
const log = document.querySelector(".messages");
const earlier = document.querySelector("[data-action=earlier]");
const hint = document.querySelector(".hint");
const shown = new Map(); // key -> {element, row}
let rows = [];
let stuck = true; // true while the view follows the bottom
let top = 0;

export function setUpConversation(actions) {
  earlier.addEventListener("click", actions.earlierMessages);
  const versionOf = (id) => rows.find((row) => row.id === id).versions;
  setUpButtons(log, {
    ...actions,
    ...{ now: actions.sendNow, up: actions.moveUp, down: actions.moveDown, "copy-code": actions.copyCode },
    ...{ continue: actions.goOn, answer: actions.regenerate },
    older: (id) => actions.show(versionOf(id).older),
    newer: (id) => actions.show(versionOf(id).newer),
    dequeue: (id) => askToDequeue(() => actions.dequeue(id)),
    remove: (id) => askToRemove(() => actions.removeMessage(id)),
  });
  // Fast text is drawn later than its message, and a phone's keyboard shrinks the view. Both move the bottom.
  new ResizeObserver(() => stuck && toBottom()).observe(log);
  new ResizeObserver(() => stuck && toBottom()).observe(scroll);
  scroll.addEventListener("scroll", follow, { passive: true });
}

async function askToRemove(remove) {
  const text = "This can't be undone. If it is your own message, its answer is deleted too.";
  if ((await ask({ title: "Delete message?", text, yes: "Delete" })) !== null) await remove();
}

async function askToDequeue(dequeue) {
  const text = "The message that waits is deleted, and its credits are returned.";
  if ((await ask({ title: "Remove from the queue?", text, yes: "Remove" })) !== null) await dequeue();
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
  const parts = ["messages", "drafts", "typed", "openChat", "loaded", "places", "chats", "found"];
  if (parts.every((part) => state[part] === before[part])) return;
  const distance = fromBottom();
  rows = rowsOf(state);
  if (state.openChat !== before.openChat || added(state, before)) stuck = true;
  forgetAllBut(rows);
  rows.forEach(place);
  earlier.hidden = !state.earlierCursor;
  hint.hidden = rows.length > 0 || (state.openChat !== null && !state.loaded);
  scroll.scrollTop = stuck ? scroll.scrollHeight : keptAt(state, before, distance);
  if (state.found && state.found !== before.found) find(state.found);
}

// The message that the user has looked for takes the focus, so a screen reader goes on there.
function find({ id }) {
  const element = shown.get(rows.find((row) => row.id === id)?.key)?.element;
  if (!element) return;
  stuck = false;
  element.tabIndex = -1;
  element.scrollIntoView({ block: "center" });
  element.focus({ preventScroll: true });
}

const added = (state, before) => state.drafts.length > before.drafts.length;

function forgetAllBut(kept) {
  const keys = new Set(kept.map(({ key }) => key));
  for (const [key, { element }] of shown) {
    if (keys.has(key)) continue;
    element.remove();
    shown.delete(key);
  }
}

// Another version takes the element over, so its buttons keep the focus.
function place(row, at) {
  const known = shown.get(row.key);
  const element = known?.element ?? createMessage();
  if (log.children[at] !== element) log.insertBefore(element, log.children[at] ?? null);
  if (known && sameRow(known.row, row)) return;
  showMessage(element, row);
  shown.set(row.key, { element, row });
}

// Older messages appear above. The text that the user reads stays in its place on the screen.
function keptAt(state, before, distance) {
  const above = state.messages[0]?.id !== before.messages[0]?.id;
  return above ? scroll.scrollHeight - scroll.clientHeight - distance : scroll.scrollTop;
}
