// The rows of the open conversation: each message or draft with what a person can do about it. Pure functions.

import { showsNothing } from "./blank.js";
import { isPaused } from "./chats.js";
import { isFinal } from "./messages.js";
import { editOf } from "./typed.js";
import { groupsOf, isShown, rootOf } from "./versions.js";
import { isOpen, isReply, waits } from "./waiting.js";

const EXCERPT = 40; // characters of a question that name its buttons

// A row: {key, id, message, about, offers, off, versions, place, paused, edited}. Versions of a message have the same key.
// `offers` are verbs, `off` are those that can do nothing now, and `about` names the row. An `edited` message has a new
// text that the server has not taken yet.
export function rowsOf(state) {
  const chat = chatOf(state);
  return [...chat.shown.map((message) => row(message, chat, state)), ...draftsOf(state)];
}

export function sameRow(one, other) {
  return one.message === other.message && Object.keys(one).every((part) => isSame(one[part], other[part]));
}

// Few parts are lists or objects, and those are small.
const isSame = (one, other) => one === other || JSON.stringify(one) === JSON.stringify(other);

function chatOf(state) {
  const groups = groupsOf(state.messages);
  const shown = state.messages.filter((message) => isShown(message) && isNewest(message, groups));
  const open = shown.filter(isOpen);
  return {
    shown,
    byId: new Map(shown.map((message) => [message.id, message])),
    replies: new Map(shown.map((message) => [message.replyTo, message])),
    groups,
    last: shown.findLast(({ messageType }) => messageType === "user")?.id,
    first: open[0]?.id,
    queue: open.filter(waits).map(({ id }) => id),
    paused: isPaused(state),
  };
}

// The event that shows a version may arrive before the one that hides another.
function isNewest(message, groups) {
  return groups.get(rootOf(message)).every((other) => !isShown(other) || other.seq <= message.seq);
}

function row(message, chat, state) {
  const { id, replyTo } = message;
  const versions = versionsOf(message, chat);
  const at = chat.queue.indexOf(id);
  const off = [
    ...[at === 0 && "up", at === chat.queue.length - 1 && "down"],
    ...[!versions?.older && "older", !versions?.newer && "newer"],
  ].filter(Boolean);
  const about = excerpt((chat.byId.get(replyTo) ?? message).content);
  const edited = (editOf(state, state.openChat, id) ?? message.content) !== message.content;
  const offers = isReply(message) ? offersOfReply(message, chat) : offersOfQuestion(message, chat, edited);
  const place = state.places[id] ?? null;
  return { key: rootOf(message), id, message, about, offers, off, versions, place, paused: chat.paused, edited };
}

function draftsOf({ drafts, openChat }) {
  const mine = drafts.filter(({ chatSessionId, echoed }) => chatSessionId === openChat && !echoed);
  return mine.map((draft) => ({
    key: draft.key,
    id: draft.key,
    message: { ...draft, id: draft.key, messageType: "user" },
    about: excerpt(draft.content),
    offers: offersOfDraft(draft),
    off: [],
  }));
}

function offersOfDraft({ status, wrong }) {
  if (status !== "unsent") return [];
  return wrong ? ["edit"] : ["retry", "edit"];
}

function offersOfReply(message, chat) {
  if (isOpen(message)) return waits(message) ? offersOfWaiting(message, chat) : ["stop"];
  const more = message.replyTo === chat.last ? offersOfLast(message) : [];
  return [...more, ...(message.content ? ["copy"] : []), "remove"];
}

// The first open reply of a chat gets its turn by itself, unless the chat is paused.
function offersOfWaiting({ id }, { first, paused, queue }) {
  const moves = queue.length > 1 ? ["up", "down"] : [];
  if (id === first) return [...(paused ? [] : ["stop"]), ...moves, ...(paused ? ["dequeue"] : [])];
  return ["now", ...moves, "dequeue"];
}

function offersOfLast({ status, content, finishReason }) {
  const isBlank = showsNothing(content);
  if (status === "failed") return isBlank ? ["again"] : ["again", "continue"];
  if (status === "cancelled" && isBlank) return ["again"];
  return status === "cancelled" || finishReason === "length" ? ["continue", "regenerate"] : ["regenerate"];
}

// The user can always come back to an edit, even if the server would refuse it by now.
function offersOfQuestion({ id, messageType }, { last, replies }, edited) {
  const reply = replies.get(id);
  const back = edited ? ["rewrite"] : [];
  if (messageType !== "user") return ["copy", "remove"];
  if (reply && waits(reply)) return ["copy", "rewrite"];
  if (reply && isOpen(reply)) return ["copy", ...back, "remove"];
  if (id !== last) return ["copy", ...back, "branch", "remove"];
  return [...(reply ? [] : ["answer"]), "copy", "rewrite", "remove"];
}

// The place of the shown version among the others. None can be chosen while one of them is open.
function versionsOf(message, { groups }) {
  const rows = groups.get(rootOf(message));
  if (rows.length === 1) return null;
  const at = rows.indexOf(message);
  const chosen = (other) => (rows.every(isFinal) && rows[other]?.id) || null;
  return { at: at + 1, of: rows.length, older: chosen(at - 1), newer: chosen(at + 1) };
}

// Only the beginning is looked at, because a text may be long, and this runs with each frame.
function excerpt(content) {
  const [line] = content.trimStart().slice(0, 4 * EXCERPT).split("\n", 1);
  const letters = [...line.trimEnd()];
  return letters.length > EXCERPT ? `${letters.slice(0, EXCERPT - 1).join("")}…` : letters.join("");
}
