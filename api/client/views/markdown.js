// The only way from a model's text into the page. Markdown is rendered without HTML; then a sanitiser keeps
// a short list of elements. Nothing loads by itself, so there are no images. Links lead to http, https or mailto.

import DOMPurify from "/vendor/dompurify.js";
import MarkdownIt from "/vendor/markdown-it.js";
import { arrange } from "./blocks.js";
import { ranked } from "./headings.js";

const SAFE = {
  ALLOWED_TAGS: [
    ..."a blockquote br code em h1 h2 h3 h4 h5 h6 hr li ol p pre s strong".split(" "),
    ..."table tbody td th thead tr ul".split(" "),
  ],
  ALLOWED_ATTR: ["href", "start"],
  ALLOW_ARIA_ATTR: false,
  ALLOW_DATA_ATTR: false,
  ALLOWED_URI_REGEXP: /^(?:https?:\/\/|mailto:)/i,
  RETURN_DOM_FRAGMENT: true,
};

const markdown = new MarkdownIt({ html: false, linkify: true, breaks: true });
markdown.disable("image");
markdown.core.ruler.push("ranked", ranked);
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false });

DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node.nodeName !== "A") return;
  node.setAttribute("target", "_blank");
  node.setAttribute("rel", "noopener noreferrer nofollow");
});

// Returns a document fragment that is safe anywhere in the page.
export function render(text) {
  return arrange(DOMPurify.sanitize(markdown.render(text), SAFE));
}
