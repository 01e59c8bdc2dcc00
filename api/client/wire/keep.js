// Keeps the user's unsent words in this browser's storage, so that a reload loses nothing (D-195).
// The storage belongs to one user. Another user's sign-in removes it, and so does a sign-out. It never holds a token.

const OURS = "holdfast.";
const OWNER = `${OURS}owner`; // the user's id
const TYPED = `${OURS}typed.`; // + the place of the text: text
const POST = `${OURS}post.`; // + key of the post: JSON
const NO_ROOM = "This browser has no room to keep your text. Send or copy it before you leave the page.";

export class Keep {
  #dispatch;
  #taken; // called when another user has signed in on another tab
  #storage = usableStorage();
  #owner = null;
  #known = new Map(); // what this tab has read or written: name -> text

  constructor({ dispatch, taken }) {
    this.#dispatch = dispatch;
    this.#taken = taken;
    addEventListener("storage", (event) => this.#heard(event));
  }

  open({ id }) {
    if (this.#storage.getItem(OWNER) !== id) this.clear();
    this.#owner = id;
    this.#put(OWNER, id);
    this.#known = new Map(names(this.#storage).map((name) => [name, this.#storage.getItem(name)]));
    this.#dispatch("kept", { typed: readTyped(this.#known), drafts: readPosts(this.#known) });
  }

  clear() {
    this.#owner = null;
    [OWNER, ...names(this.#storage)].forEach((name) => this.#storage.removeItem(name));
  }

  // Writes what has changed. After a sign-out, a tab that has not heard of it yet writes nothing.
  look({ user, typed, drafts }, before) {
    if (!user) this.#owner = null;
    if (!this.#owner || (typed === before.typed && drafts === before.drafts)) return;
    if (this.#storage.getItem(OWNER) !== this.#owner) return;
    const wanted = entries(typed, drafts);
    [...this.#known.keys()].filter((name) => !wanted.has(name)).forEach((name) => this.#remove(name));
    [...wanted].filter(([name, text]) => this.#known.get(name) !== text).forEach((entry) => this.#write(...entry));
  }

  #remove(name) {
    this.#storage.removeItem(name);
    this.#known.delete(name);
  }

  #write(name, text) {
    if (this.#put(name, text)) this.#known.set(name, text);
  }

  #put(name, text) {
    try {
      this.#storage.setItem(name, text);
      return true;
    } catch {
      this.#dispatch("notice", NO_ROOM);
      return false;
    }
  }

  // Another tab of this user has typed, or has got rid of a post.
  #heard({ key: name, newValue: text }) {
    if (!this.#owner || !name?.startsWith(OURS)) return;
    if (name === OWNER && text && text !== this.#owner) this.#taken();
    if (text === null) this.#known.delete(name);
    if (name.startsWith(POST) && text === null) this.#dispatch("draft.discarded", name.slice(POST.length));
    if (!name.startsWith(TYPED)) return;
    if (text !== null) this.#known.set(name, text);
    this.#dispatch("typed", { chatSessionId: name.slice(TYPED.length), text: text ?? "" });
  }
}

// A browser may forbid the storage. Then texts live as long as the page.
function usableStorage() {
  try {
    return localStorage;
  } catch {
    return { length: 0, getItem: () => null, setItem() {}, removeItem() {} };
  }
}

function names(storage) {
  const all = Array.from({ length: storage.length }, (_, at) => storage.key(at));
  return all.filter((name) => name.startsWith(TYPED) || name.startsWith(POST));
}

function entries(typed, drafts) {
  const texts = Object.entries(typed).map(([id, text]) => [TYPED + id, text]);
  return new Map([...texts, ...drafts.map((draft) => [POST + draft.key, written(draft)])]);
}

// The outcome of a post that is being sent is not known after a reload, so that post is sent again.
function written({ key, chatSessionId, content, begun, status, problem, passing, wrong }) {
  const refused = status === "unsent" && !passing;
  return JSON.stringify({ key, chatSessionId, content, begun, problem: refused ? problem : "", passing: !refused, wrong });
}

function readTyped(known) {
  const texts = [...known].filter(([name]) => name.startsWith(TYPED));
  return Object.fromEntries(texts.map(([name, text]) => [name.slice(TYPED.length), text]));
}

function readPosts(known) {
  const posts = [...known].filter(([name]) => name.startsWith(POST)).map(([, text]) => JSON.parse(text));
  return posts.sort((one, other) => one.begun - other.begun);
}
