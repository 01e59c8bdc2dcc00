// The user looks for words in all chats. `page` is described in actions.js.

import { showsNothing } from "../state/blank.js";

export async function search(page, q) {
  page.dispatch("search.asked", q);
  if (!showsNothing(q)) await look(page, q, null);
}

export async function searchOn(page) {
  const { q, nextCursor } = page.read().search;
  await look(page, q, nextCursor);
}

// On a phone, the list covers the page's notices. So a problem stands where the places would.
async function look({ api, dispatch }, q, after) {
  await api.search(q, after).then(
    (found) => dispatch("search.found", { q, after, ...found }),
    (problem) => dispatch("search.failed", { q, problem: problem.message }),
  );
}
