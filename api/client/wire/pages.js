// Reads pages of chats and messages for the screen. `page` is the browser page: its {api, dispatch, read}.

const MOST = 200; // messages of one page

export const isGone = ({ status }) => [403, 404].includes(status);

export async function moreChats({ api, dispatch, read }) {
  dispatch("chats.more", await api.chats(read().chatsCursor));
}

export async function openMessages(page) {
  const { openChat: chatSessionId } = page.read();
  if (!chatSessionId) return;
  const found = await page.api.messages(chatSessionId).catch((problem) => {
    closeIfGone(page, chatSessionId, problem);
    throw problem;
  });
  page.dispatch("messages.loaded", { chatSessionId, ...found });
}

export async function earlierMessages({ api, dispatch, read }) {
  const { openChat: chatSessionId, earlierCursor } = read();
  dispatch("messages.earlier", { chatSessionId, ...(await api.messages(chatSessionId, earlierCursor)) });
}

// Reads back to a message of the open chat. False if the chat has no such message any more.
export async function readBackTo({ api, dispatch, read }, id) {
  const { openChat: chatSessionId, earlierCursor, messages } = read();
  const known = [...messages];
  let nextCursor = earlierCursor;
  while (nextCursor && !known.some((message) => message.id === id)) {
    const page = await api.messages(chatSessionId, nextCursor, MOST);
    known.push(...page.items);
    nextCursor = page.nextCursor;
  }
  const items = known.slice(messages.length);
  if (items.length > 0) dispatch("messages.earlier", { chatSessionId, items, nextCursor });
  return read().messages.some((message) => message.id === id);
}

// Closes the open chat if the server says that it is gone. Any other problem is thrown on.
export function closeIfGone({ dispatch, read }, id, problem) {
  if (!isGone(problem)) throw problem;
  if (read().openChat === id) dispatch("chat.opened", null);
}

// All rows of a list that is read in pages. `get` reads the page at a cursor.
export async function allPages(get) {
  const rows = [];
  let cursor = null;
  do {
    const page = await get(cursor);
    rows.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor);
  return rows;
}
