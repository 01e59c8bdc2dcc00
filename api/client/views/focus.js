// Where the keyboard is. A drawing that removes or hides the focused element moves the focus to the nearest one.

import { focus as focusBox, hasFocus } from "./composer.js";

const FOCUSABLE = "a[href], button:not(:disabled), input, textarea, [tabindex='0']";
const GROUPS = "[data-message-id], .chats li"; // what belongs to one message or one chat

const touch = matchMedia("(pointer: coarse)");
const title = document.querySelector(".title");

export function setUpFocus() {
  document.querySelector("[data-action=skip]").addEventListener("click", (event) => {
    event.preventDefault(); // the address names the open chat
    focusBox();
  });
  // A dialog gives the focus back to the button that opened it. That button may be gone.
  const rescue = () => document.activeElement === document.body && focusBox();
  document.querySelectorAll("dialog").forEach((dialog) => dialog.addEventListener("close", () => setTimeout(rescue)));
}

export function keepFocus(draw) {
  const held = document.activeElement;
  const group = held?.closest(GROUPS);
  const around = neighbours(group);
  draw();
  if (held === document.body || isHeld()) return;
  const nearest = [held, ...focusables(group), ...around.flatMap(focusables)].find(isUsable);
  if (nearest) nearest.focus();
  else focusBox();
}

// The later groups first: the next message or chat takes the place of one that is gone.
function neighbours(group) {
  const all = group ? [...group.parentElement.children] : [];
  const at = all.indexOf(group);
  return [...all.slice(at + 1), ...all.slice(0, Math.max(at, 0)).reverse()];
}

const isHeld = () => document.activeElement !== document.body && isUsable(document.activeElement);
const focusables = (group) => [...(group?.querySelectorAll(FOCUSABLE) ?? [])];
const isUsable = (element) => element?.checkVisibility({ visibilityProperty: true }) && !element.disabled;

// After a chat was opened, the user writes. On a touch screen the box would bring up the keys, so the title takes the
// focus, unless the user has begun a new chat to write in.
export function showFocus(state, before) {
  if (state.found && state.found !== before.found) return; // that message has the focus
  if (state.session !== "in" || (state.openChat === before.openChat && before.session === "in")) return;
  if (touch.matches && !hasFocus()) title.focus({ preventScroll: true });
  else focusBox();
}
