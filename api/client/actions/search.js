// The user looks for words in all chats. `page` is described in actions.js.

export async function search({ api, dispatch }, q) {
  dispatch("search.asked", q);
  if (q.trim()) dispatch("search.found", { q, after: null, ...(await api.search(q)) });
}

export async function searchOn({ api, dispatch, read }) {
  const { q, nextCursor } = read().search;
  dispatch("search.found", { q, after: nextCursor, ...(await api.search(q, nextCursor)) });
}
