// The frame around the conversation: title, credits, the user's email, notices, and the drawer on a phone.

import { isPaused } from "../state/chats.js";

const find = (selector) => document.querySelector(selector);
const menu = find("[data-action=menu]");
const sidebar = find(".sidebar");
const notice = find(".notice");

export function setUpFrame({ signOut, resume, exportAll }) {
  find(".exports").addEventListener("click", ({ target }) => {
    if (!target.dataset.format) return;
    drawer(false); // on a phone, it would cover a notice
    exportAll(target.dataset.format);
  });
  find("[data-action=resume]").addEventListener("click", resume);
  find("[data-action=sign-out]").addEventListener("click", signOut);
  menu.addEventListener("click", () => drawer(menu.getAttribute("aria-expanded") === "false"));
  find(".conversation").addEventListener("click", ({ target }) => target === menu || drawer(false));
  document.addEventListener("keydown", ({ key }) => key === "Escape" && drawer(false));
}

function drawer(open) {
  menu.setAttribute("aria-expanded", String(open));
  document.body.toggleAttribute("data-drawer", open);
  if (open) sidebar.querySelector("button").focus();
  else if (sidebar.contains(document.activeElement) && menu.checkVisibility()) menu.focus();
}

// A screen reader says a sentence again whenever it is set.
function showNotice(sentence) {
  notice.textContent = sentence;
  notice.hidden = !sentence;
}

export function showFrame(state, before) {
  const title = state.chats.find(({ id }) => id === state.openChat)?.title ?? "";
  find(".title").textContent = title || "New chat";
  document.title = title ? `${title} · Holdfast` : "Holdfast";
  find(".email").textContent = state.user?.email ?? "";
  find("[data-test=credits]").textContent = state.credits?.balance ?? "";
  find(".held").textContent = state.credits?.held ? ` · ${state.credits.held} held` : "";
  if (state.notice !== before.notice) showNotice(state.notice);
  find(".paused").hidden = !isPaused(state);
  document.body.dataset.socket = state.socket;
  find(".reconnecting").textContent = state.socket === "offline" ? "Reconnecting…" : "";
  if (state.openChat !== before.openChat || state.found !== before.found) drawer(false);
}
