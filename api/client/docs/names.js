// Names what Swagger UI draws, for readers who hear the page or use a keyboard (D-230).

const MENDS = {
  // The page has a title of its own, and Swagger UI has its <main>.
  ".information-container": (part) => Object.assign(part, { role: "region", ariaLabel: "About the API" }),
  ".scheme-container": (part) => Object.assign(part, { role: "region", ariaLabel: "Server and token" }),
  "table[role=region]": (table) => (table.ariaLabel = `Responses of ${table.closest(".opblock").id.split("-").at(-1)}`),
  "h1.title": (title) => (title.ariaLevel = "2"),
  // The button around the link opens the operation, and puts it into the address.
  "button a[href]": (link) => link.removeAttribute("href"),
  "select:not([aria-label])": (select) => (select.ariaLabel = nameOf(select)),
  "textarea.body-param__text:not([aria-label])": (box) => (box.ariaLabel = "Body of the request"),
  "button.modal-btn[aria-label]": (button) => button.removeAttribute("aria-label"), // it is not the text of the button
  "button.close-modal:not([aria-label])": (button) => (button.ariaLabel = "Close"),
  "pre.microlight:not([tabindex])": (block) => (block.tabIndex = 0),
};
const SELECTS = { "servers": "Server", "examples-select-element": "Example", "content-type": "Media type" };

function nameOf(select) {
  const parameter = select.closest("tr")?.querySelector(".parameter__name")?.textContent;
  return SELECTS[select.id || select.className] ?? parameter ?? "Choice";
}

// Swagger UI draws parts anew at any time.
export function nameAll(place) {
  const mend = () => Object.entries(MENDS).forEach(([parts, change]) => place.querySelectorAll(parts).forEach(change));
  new MutationObserver(mend).observe(place, { childList: true, subtree: true });
}
