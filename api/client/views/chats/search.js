// The search box above the chats. Its results take the place of the list.

import { showsNothing } from "../../state/blank.js";
import { placesOf } from "../../state/search.js";

const PAUSE = 250; // ms without a key; then the words are looked for

const form = document.querySelector("[data-test=search]");
const box = form.elements.q;
const list = document.querySelector("[data-test=found]");
const count = document.querySelector(".count");
const more = document.querySelector("[data-action=search-on]");
const chats = document.querySelector("[data-test=chats]");
let timer = null;

export function setUpSearch({ search, searchOn }) {
  const ask = () => {
    clearTimeout(timer);
    search(box.value);
  };
  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, showsNothing(box.value) ? 0 : PAUSE);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  more.addEventListener("click", searchOn);
}

export function showSearch(state, before) {
  if (state.search === before.search && state.gone === before.gone) return;
  const places = placesOf(state);
  chats.hidden = state.search !== null;
  list.hidden = state.search === null;
  list.replaceChildren(...places.map(item));
  more.hidden = !state.search?.nextCursor;
  count.textContent = told(state.search, places.length);
}

function told(search, number) {
  if (!search?.done || search.problem) return search?.problem ?? "";
  if (number === 0) return "Nothing found.";
  return `${number}${search.nextCursor ? " or more" : ""} found.`;
}

function item({ chatSessionId, messageId, title, snippet }) {
  const made = document.createElement("li");
  const link = document.createElement("a");
  link.href = `#${chatSessionId}${messageId ? `/${messageId}` : ""}`;
  link.append(...(messageId ? [line("strong", [title]), line("span", snippet.map(part))] : [line("strong", snippet.map(part))]));
  made.append(link);
  return made;
}

function line(name, nodes) {
  const made = document.createElement(name);
  made.dir = "auto";
  made.append(...nodes);
  return made;
}

// Each part is plain text.
function part({ text, match }) {
  if (!match) return text;
  const mark = document.createElement("mark");
  mark.textContent = text;
  return mark;
}
