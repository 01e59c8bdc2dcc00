// A dialog with a text to edit. It stays open until the text is saved, so a refusal loses nothing.

const dialog = document.querySelector("#editor");
const form = dialog.querySelector("form");
const { content: box } = form.elements;
const problem = dialog.querySelector(".problem");
const submit = dialog.querySelector(".primary");
let save = null;

dialog.querySelector("[data-action=cancel]").addEventListener("click", () => dialog.close());

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!box.value.trim() || submit.ariaDisabled === "true") return;
  submit.ariaDisabled = "true";
  problem.textContent = "";
  await save(box.value).then(() => dialog.close(), (refusal) => (problem.textContent = refusal.message));
  submit.ariaDisabled = null;
});

// Resolves when the dialog is closed. `saving` gets the text, and may refuse it.
export function askForText({ title, value, yes }, saving) {
  save = saving;
  dialog.querySelector("h2").textContent = title;
  submit.textContent = yes;
  problem.textContent = "";
  box.value = value;
  dialog.showModal();
  box.focus();
  return new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
}
