// The element of one message. It is drawn again when its message has changed.

import { isFinal } from "../state/messages.js";
import { showMarkdown } from "./live-text.js";
import { showButtons } from "./message/buttons.js";
import { noteOf } from "./message/note.js";

const template = document.querySelector("#message").content.firstElementChild;
const SPEAKERS = { user: "You", system: "System" };
const time = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export const createMessage = () => template.cloneNode(true);

export function showMessage(element, row) {
  const { message } = row;
  const { messageType, status, createdAt } = message;
  element.dataset.messageId = row.id;
  element.dataset.messageType = messageType;
  element.dataset.status = status;
  element.querySelector(".speaker").textContent = SPEAKERS[messageType] ?? "Assistant";
  element.title = createdAt ? time.format(new Date(createdAt)) : "";
  // A screen reader reads a busy element once it is whole. Without this, it would repeat the text with each word.
  element.setAttribute("aria-busy", String(status === "pending" || status === "running"));
  showText(element.querySelector(".content"), message);
  element.querySelector(".note").textContent = noteOf(row);
  showButtons(element, row);
}

function showText(element, message) {
  if (message.messageType !== "user") showMarkdown(element, message.content, isFinal(message));
  else if (element.textContent !== message.content) element.textContent = message.content; // a selection survives
}
