// The dialog with the settings of the open chat. It stays open until they are saved, so a refusal loses nothing.
// If the user closes it before the answer, the instructions are kept with their chat (D-226).

import { INSTRUCTIONS, lengthProblem } from "../length.js";
import { trySaving } from "../message/saving.js";

const dialog = document.querySelector("#settings");
const form = dialog.querySelector("form");
const problem = dialog.querySelector(".problem");
const submit = dialog.querySelector("[type=submit]");
const { instructions, whenBusy, includeContext, archived } = form.elements;
const gear = document.querySelector("[data-action=configure]");
const badge = document.querySelector(".archived");
let shown = null; // the edit on the screen, see askForSettings()
let known = null; // what the form showed at first

export function setUpSettings({ configure, exportChat }) {
  gear.addEventListener("click", configure);
  dialog.addEventListener("click", ({ target }) => {
    if (target.dataset.format) exportChat(target.dataset.format);
    if (target.matches("[data-action=cancel]") && !shown.isSending) shown.drop();
    if (target.matches("[data-format], [data-action=cancel]")) close();
  });
  dialog.addEventListener("close", () => dialog.open || close()); // for example by Escape
  instructions.addEventListener("input", () => shown.type(instructions.value));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    problem.textContent = lengthProblem("The text of the instructions", instructions.value, INSTRUCTIONS);
    if (!problem.textContent && !shown.isSending)
      trySaving(shown, instructions.value, changed(), screen);
  });
}

const screen = { isShown: (edit) => shown === edit, showSending, tell: (words) => (problem.textContent = words), close };

// The edit is as in editor.js. Its text is the instructions, and its `save` gets the changes alone.
export function askForSettings(chat, edit) {
  shown = edit;
  instructions.value = chat.settings.instructions ?? "";
  whenBusy.value = chat.settings.whenBusy ?? "queue";
  includeContext.checked = chat.settings.includeContext ?? false;
  archived.checked = chat.archived;
  known = written();
  instructions.value = edit.text;
  problem.textContent = "";
  showSending(edit, false);
  dialog.showModal();
}

const written = () => ({
  settings: { instructions: instructions.value, whenBusy: whenBusy.value, includeContext: includeContext.checked },
  archived: archived.checked,
});

// Another device may have changed the rest meanwhile.
function changed() {
  const { settings, archived: put } = written();
  const news = Object.entries(settings).filter(([name, value]) => value !== known.settings[name]);
  return {
    ...(news.length > 0 && { settings: Object.fromEntries(news) }),
    ...(put !== known.archived && { archived: put }),
  };
}

function close() {
  shown = null;
  dialog.close();
}

// The settings on their way are those on the screen.
function showSending(edit, isSending) {
  edit.isSending = isSending;
  if (shown !== edit) return;
  instructions.readOnly = isSending;
  submit.ariaDisabled = isSending ? "true" : null;
}

// The settings go with their chat, and with its user.
export function showSettings({ openChat, chats }, before) {
  const chat = chats.find(({ id }) => id === openChat);
  gear.hidden = !chat;
  badge.hidden = !chat?.archived;
  if (openChat !== before.openChat) close();
}
