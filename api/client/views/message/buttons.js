// The buttons of a message. Each is named with what it acts on, because a screen reader may read it alone.

const LABELS = {
  stop: "Stop",
  again: "Try again",
  continue: "Continue",
  regenerate: "Regenerate",
  answer: "Answer it",
  now: "Send now",
  up: "Move up",
  down: "Move down",
  dequeue: "Remove",
  copy: "Copy",
  rewrite: "Edit",
  branch: "Edit in a new chat",
  remove: "Delete",
  retry: "Try again",
  edit: "Edit",
  older: "‹",
  newer: "›",
};
const NAMES = { older: "Previous version", newer: "Next version" };
const QUIET = ["copy", "rewrite", "branch", "remove", "regenerate"]; // shown when the reader points at the message

// A button stays the same element as long as it is offered, so it keeps the focus.
export function showButtons(element, { message, offers, off, versions, about }) {
  const group = element.querySelector(".buttons");
  const known = new Map([...group.querySelectorAll("button")].map((button) => [button.dataset.action, button]));
  const subject = message.messageType === "user" ? `“${about}”` : `reply to “${about}”`;
  const wanted = versions ? ["older", "newer", ...offers] : offers;
  const nodes = wanted.map((action) => named(known.get(action) ?? button(action), action, subject, off));
  if (versions) nodes.splice(1, 0, counter(group, versions));
  arrange(group, nodes);
}

function button(action) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = QUIET.includes(action) ? "link quietly" : "link";
  made.dataset.action = action;
  made.textContent = LABELS[action];
  return made;
}

function named(made, action, subject, off) {
  made.ariaLabel = `${NAMES[action] ?? LABELS[action]}: ${subject}`;
  made.ariaDisabled = off.includes(action) ? "true" : null;
  return made;
}

function counter(group, { at, of }) {
  const made = group.querySelector(".counter") ?? document.createElement("span");
  made.className = "counter";
  made.textContent = `${at}/${of}`;
  return made;
}

// A node that is in its place is not moved, because a moved button loses the focus.
function arrange(group, nodes) {
  [...group.children].forEach((child) => nodes.includes(child) || child.remove());
  nodes.forEach((node, at) => group.children[at] === node || group.insertBefore(node, group.children[at] ?? null));
}

// Calls the action of a pressed button. A second press does nothing until the first has ended.
export function setUpButtons(log, actions) {
  log.addEventListener("click", async ({ target }) => {
    const pressed = target.closest("button[data-action]");
    const action = actions[pressed?.dataset.action];
    if (!action || pressed.ariaDisabled === "true" || pressed.dataset.busy) return;
    pressed.dataset.busy = "true";
    await action(pressed.closest("article").dataset.messageId, pressed);
    delete pressed.dataset.busy;
  });
}
