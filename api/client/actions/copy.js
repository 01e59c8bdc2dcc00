// Copies a message, or a block of code in it.

import { codeOf } from "../views/message/code.js";
import { sayCopied } from "../views/message/copied.js";

export async function copy({ read }, id) {
  await write(read().messages.find((message) => message.id === id).content);
  sayCopied();
}

export async function copyCode(page, id, pressed) {
  await write(codeOf(pressed));
  sayCopied();
}

// Only pages on https and localhost may use the clipboard. On any other, the browser copies a selection.
async function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const focused = document.activeElement;
  const box = document.body.appendChild(document.createElement("textarea"));
  box.value = text;
  box.select();
  document.execCommand("copy");
  box.remove();
  focused.focus();
}
