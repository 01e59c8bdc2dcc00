// One message's element, brought up to date when its message has changed.

import { isFinal } from "../messages.js";
import { showMarkdown } from "./live-text.js";

const template = document.querySelector("#message").content.firstElementChild;
const retry = document.querySelector("#retry").content.firstElementChild;
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
  element.title = createdAt ? time.format(new Date(createdAt)) : "";
  // A screen reader gets the reply as a whole, not each word again with all before it.
  element.setAttribute("aria-busy", String(status === "pending" || status === "running"));
  showText(element.querySelector(".content"), message);
  element.querySelector(".note").textContent = note(message);
  element.querySelector(".retry")?.remove();
  if (status === "unsent") element.append(retry.cloneNode(true));
}

function showText(element, message) {
  if (message.messageType === "user") element.textContent = message.content;
  else showMarkdown(element, message.content, isFinal(message));
}

function note({ messageType, status, content, error, problem }) {
  if (status === "sending") return "Sending…";
  if (status === "unsent") return `Not sent: ${problem}`;
  if (status === "failed") return error?.detail ?? "The reply failed.";
  if (status === "cancelled") return "Stopped.";
  const waits = messageType !== "user" && !content && status !== "completed";
  return waits ? "Thinking…" : "";
}
