// Tells whether a text shows anything, exactly as the server does (D-227). Pure functions.

// The list of shared/text.py, and halves of surrogate pairs, which the server drops. A test compares both lists.
const SHOWS = new RegExp(
  "[^\\s\\x00-\\x1f\\x7f-\\x9f" +
    "\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u3164" +
    "\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufff8\\u{1bca0}-\\u{1bca3}\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e0fff}" +
    "\\u2800\\ufff9-\\ufffb\\u{1d159}\\u{13430}-\\u{1343f}\\u{13441}\\u{13442}\\ud800-\\udfff]",
  "u",
);

export const showsNothing = (text) => !SHOWS.test(text);
