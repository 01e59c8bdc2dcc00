// The dialog with the settings of the open chat. It stays open until they are saved, so a refusal loses nothing.

import { INSTRUCTIONS, lengthProblem } from "../length.js";

const dialog = document.querySelector("#settings");
const form = dialog.querySelector("form");
const problem = dialog.querySelector(".problem");
const submit = dialog.querySelector("[type=submit]");
const { instructions, whenBusy, includeContext, archived } = form.elements;
const gear = document.querySelector("[data-action=configure]");
const badge = document.querySelector(".archived");
let save = null;
let known = null; // what the form showed at first

export function setUpSettings({ configure, exportChat }) {
  gear.addEventListener("click", configure);
  dialog.addEventListener("click", ({ target }) => {
    if (target.dataset.format) exportChat(target.dataset.format);
    if (target.matches("[data-format], [data-action=cancel]")) dialog.close();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    problem.textContent = lengthProblem("The text of the instructions", instructions.value, INSTRUCTIONS);
    if (!problem.textContent && !submit.ariaDisabled) trySaving(save);
  });
}

// `saving` gets the changes alone. If it refuses, the dialog says why.
export function askForSettings(chat, saving) {
  save = saving;
  instructions.value = chat.settings.instructions ?? "";
  whenBusy.value = chat.settings.whenBusy ?? "queue";
  includeContext.checked = chat.settings.includeContext ?? false;
  archived.checked = chat.archived;
  known = written();
  problem.textContent = "";
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

async function trySaving(saving) {
  submit.ariaDisabled = "true";
  try {
    await saving(changed());
    if (save === saving) dialog.close();
  } catch (refusal) {
    problem.textContent = refusal.message;
  } finally {
    submit.ariaDisabled = null;
  }
}

// The settings go with their chat, and with its user.
export function showSettings({ openChat, chats }, before) {
  const chat = chats.find(({ id }) => id === openChat);
  gear.hidden = !chat;
  badge.hidden = !chat?.archived;
  if (openChat === before.openChat) return;
  save = null;
  dialog.close();
}
