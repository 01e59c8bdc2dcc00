// Prepares rendered text for all its readers. Each block takes its direction from its own text, and code keeps its own.
// A block that is wider than the page scrolls sideways, by keyboard too.

export function arrange(fragment) {
  fragment.querySelectorAll("table").forEach((table) => scrolling(framed(table), "Table"));
  fragment.querySelectorAll("pre").forEach((pre) => scrolling(pre, "Code"));
  [...fragment.children].forEach((block) => (block.dir = "auto"));
  // A code at the beginning of a sentence says nothing about the direction of the sentence.
  fragment.querySelectorAll("pre, code").forEach((code) => (code.dir = "ltr"));
  return fragment;
}

function framed(table) {
  const frame = document.createElement("div");
  frame.className = "table";
  table.replaceWith(frame);
  frame.append(table);
  return frame;
}

function scrolling(element, name) {
  element.tabIndex = 0;
  element.role = "group";
  element.ariaLabel = name;
}
