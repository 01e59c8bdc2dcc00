// The element of one message. It is drawn again when its message has changed.

import { isFinal } from "../state/messages.js";
import { showMarkdown } from "./live-text.js";

const template = document.querySelector("#message").content.firstElementChild;
const buttons = Object.fromEntries(
  ["retry", "stop", "remove"].map((name) => [name, document.querySelector(`#${name}`).content.firstElementChild]),
);
const SPEAKERS = { user: "You", system: "System" };
const time = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export function createMessage(id) {
  const element = template.cloneNode(true);
  element.dataset.messageId = id;
  return element;
}

export function showMessage(element, message) {
  const { messageType, status, createdAt } = message;
  element.dataset.messageType = messageType;
  element.dataset.status = status;
  element.querySelector(".speaker").textContent = SPEAKERS[messageType] ?? "Assistant";
  element.title = createdAt ? time.format(new Date(createdAt)) : "";
  // A screen reader reads a busy element once it is whole. Without this, it would repeat the text with each word.
  element.setAttribute("aria-busy", String(status === "pending" || status === "running"));
  showText(element.querySelector(".content"), message);
  element.querySelector(".note").textContent = note(message);
  showButtons(element, message);
}

// Buttons are replaced only if they change. Otherwise a button could vanish just before the user presses it.
function showButtons(element, message) {
  const wanted = buttonsOf(message);
  const known = element.querySelector(".buttons");
  if (known?.dataset.for === wanted) return;
  known?.remove();
  if (!wanted) return;
  const added = buttons[wanted].cloneNode(true);
  added.dataset.for = wanted;
  element.append(added);
}

function buttonsOf({ status }) {
  if (status === "unsent") return "retry";
  if (status === "sending") return "";
  return isFinal({ status }) ? "remove" : "stop";
}

function showText(element, message) {
  if (message.messageType === "user") element.textContent = message.content;
  else showMarkdown(element, message.content, isFinal(message));
}

function note({ status, content, error, problem, passing, credits }) {
  if (status === "sending") return "Sending…";
  if (status === "unsent") return `Not sent: ${problem}${passing ? " The page will send it when it can." : ""}`;
  if (status === "failed") return error?.detail ?? "The reply failed.";
  if (status === "cancelled") return credits?.released ? "Stopped. Your credits were returned." : "Stopped.";
  if (status === "pending" && !content) return "Waiting…";
  return status === "running" && !content ? "Thinking…" : "";
}
