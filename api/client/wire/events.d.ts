// The events and rows that a client reads. Made by `make events`: change shared/wire/ instead.

/** A message as an event carries it. */
export interface MessageEvent {
  id: string;
  chatSessionId: string;
  userId: string;
  messageType: "user" | "ai_report" | "ai_error" | "system";
  status: "pending" | "running" | "completed" | "failed" | "cancelled";
  role: "assistant" | "system" | "user";
  /** Left out above 8 KB. */
  content?: string;
  replyTo: string | null;
  version: number;
  /** The first version; null in it. */
  versionOf: string | null;
  /** False: another version stands in its place. */
  shown: boolean;
  /** The reply whose text this one begins with. */
  continues: string | null;
  position: number;
  attempt: number;
  model: string | null;
  finishReason: string | null;
  error: { code: string; detail: string; retryable: boolean } | null;
  tokens: { input: number | null; output: number | null };
  credits: { held: number; charged: number; released: number };
  changes: unknown | null;
  createdAt: string;
  startedAt: string | null;
  firstTextAt: string | null;
  completedAt: string | null;
  seq: number;
  /** Only true: ask for the text. */
  contentOmitted?: boolean;
}

/** A reply that a worker begins to write. */
export interface StartEvent {
  id: string;
  chatSessionId: string;
  userId: string;
  messageType: "user" | "ai_report" | "ai_error" | "system";
  status: "pending" | "running" | "completed" | "failed" | "cancelled";
  role: "assistant" | "system" | "user";
  /** Left out above 8 KB. */
  content?: string;
  replyTo: string | null;
  version: number;
  /** The first version; null in it. */
  versionOf: string | null;
  /** False: another version stands in its place. */
  shown: boolean;
  /** The reply whose text this one begins with. */
  continues: string | null;
  position: number;
  attempt: number;
  model: string | null;
  finishReason: string | null;
  error: { code: string; detail: string; retryable: boolean } | null;
  tokens: { input: number | null; output: number | null };
  credits: { held: number; charged: number; released: number };
  changes: unknown | null;
  createdAt: string;
  startedAt: string | null;
  firstTextAt: string | null;
  completedAt: string | null;
  seq: number;
  /** Only true: ask for the text. */
  contentOmitted?: boolean;
  /** Only 1: `content` is a kept text, which counts as the first delta. */
  nextIndex?: number;
}

/** A reply in its final state. */
export interface EndEvent {
  id: string;
  chatSessionId: string;
  userId: string;
  messageType: "user" | "ai_report" | "ai_error" | "system";
  status: "pending" | "running" | "completed" | "failed" | "cancelled";
  role: "assistant" | "system" | "user";
  /** Left out above 8 KB. */
  content?: string;
  replyTo: string | null;
  version: number;
  /** The first version; null in it. */
  versionOf: string | null;
  /** False: another version stands in its place. */
  shown: boolean;
  /** The reply whose text this one begins with. */
  continues: string | null;
  position: number;
  attempt: number;
  model: string | null;
  finishReason: string | null;
  error: { code: string; detail: string; retryable: boolean } | null;
  tokens: { input: number | null; output: number | null };
  credits: { held: number; charged: number; released: number };
  changes: unknown | null;
  createdAt: string;
  startedAt: string | null;
  firstTextAt: string | null;
  completedAt: string | null;
  seq: number;
  /** Only true: ask for the text. */
  contentOmitted?: boolean;
  /** How many deltas its last attempt sent. */
  nextIndex: number;
}

/** A message that was deleted. */
export interface MessageDeleted {
  id: string;
  chatSessionId: string;
  seq: number;
}

/** A chat, without its messages. */
export interface Chat {
  id: string;
  displayId: string;
  title: string;
  titleSource: "default" | "generated" | "user";
  userId: string;
  teamId: string | null;
  repoId: string | null;
  documentId: string | null;
  createdAt: string;
  updatedAt: string;
  lastActiveAt: string;
  archived: boolean;
  settings: { model: string | null; whenBusy: string | null; includeContext: boolean | null; instructions: string | null };
  parked: boolean;
  unread: boolean;
  seq: number;
}

/** A chat that was deleted, with all its messages. */
export interface ChatDeleted {
  id: string;
  seq: number;
}

/** The balance after a change. */
export interface CreditsChanged {
  balance: number;
  held: number;
  seq: number;
}

/** A piece of text of a running reply. */
export interface Delta {
  messageId: string;
  chatSessionId: string;
  attempt: number;
  /** 0, 1, 2, … within an attempt. */
  index: number;
  text: string;
}

/** This event has no data. */
export interface Resync {
}

/** The reason why `realtime` closes one socket. It is never on the channel. */
export interface SocketClosing {
  /** A code of the catalogue of errors. */
  code: string;
}

/** A chat that changed, or `{id, seq, deleted}`. */
export type ChangedChat = {
  deleted?: undefined;
  id: string;
  displayId: string;
  title: string;
  titleSource: "default" | "generated" | "user";
  userId: string;
  teamId: string | null;
  repoId: string | null;
  documentId: string | null;
  createdAt: string;
  updatedAt: string;
  lastActiveAt: string;
  archived: boolean;
  settings: { model: string | null; whenBusy: string | null; includeContext: boolean | null; instructions: string | null };
  parked: boolean;
  unread: boolean;
  seq: number;
} | {
  id: string;
  seq: number;
  /** Only true: a tombstone, with ids and `seq`. */
  deleted: true;
};

/** A message that changed, or `{id, chatSessionId, seq, deleted}`. */
export type ChangedMessage = {
  deleted?: undefined;
  id: string;
  chatSessionId: string;
  userId: string;
  messageType: "user" | "ai_report" | "ai_error" | "system";
  status: "pending" | "running" | "completed" | "failed" | "cancelled";
  role: "assistant" | "system" | "user";
  content: string;
  replyTo: string | null;
  version: number;
  /** The first version; null in it. */
  versionOf: string | null;
  /** False: another version stands in its place. */
  shown: boolean;
  /** The reply whose text this one begins with. */
  continues: string | null;
  position: number;
  attempt: number;
  model: string | null;
  finishReason: string | null;
  error: { code: string; detail: string; retryable: boolean } | null;
  tokens: { input: number | null; output: number | null };
  credits: { held: number; charged: number; released: number };
  changes: unknown | null;
  createdAt: string;
  startedAt: string | null;
  firstTextAt: string | null;
  completedAt: string | null;
  seq: number;
  /** Only while the reply runs. */
  nextIndex?: number;
  /** Of a reply that waits: its place in the queue. */
  queue: { ahead: number; estimatedStartAt: string | null; noWorker: boolean } | null;
} | {
  id: string;
  chatSessionId: string;
  seq: number;
  /** Only true: a tombstone, with ids and `seq`. */
  deleted: true;
};

/** The balance that is left to spend, and the credits that open replies hold. */
export interface Credits {
  balance: number;
  held: number;
}

/** The changes. With `reset` there is only `cursor`: read everything anew, then ask again after it. */
export interface Sync {
  chats: ChangedChat[];
  messages: ChangedMessage[];
  credits: Credits;
  /** The `after` of the next call. A reset has only `reset` and this field. */
  cursor: number;
  hasMore: boolean;
  /** Only true. */
  reset?: boolean;
}

export interface Events {
  "message.created": MessageEvent;
  "message.started": StartEvent;
  "message.completed": EndEvent;
  "message.failed": EndEvent;
  "message.cancelled": EndEvent;
  "message.updated": MessageEvent;
  "message.deleted": MessageDeleted;
  "chat.created": Chat;
  "chat.updated": Chat;
  "chat.deleted": ChatDeleted;
  "credits.changed": CreditsChanged;
  "message.delta": Delta;
  "resync": Resync;
  "socket.closing": SocketClosing;
}
