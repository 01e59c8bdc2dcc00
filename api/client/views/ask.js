// Asks one question in a dialog. The answer is the entered text, or "yes" if the question has no text field.
// If the user cancels, the answer is null.

const dialog = document.querySelector("#ask");
const form = dialog.querySelector("form");
const { value: input } = form.elements;

dialog.querySelector("[data-action=cancel]").addEventListener("click", () => dialog.close(""));

export function ask({ title, text = "", value = null, yes }) {
  dialog.querySelector("h2").textContent = title;
  dialog.querySelector("p").textContent = text;
  dialog.querySelector(".primary").textContent = yes;
  input.hidden = value === null;
  input.value = value ?? "";
  dialog.returnValue = "";
  dialog.showModal();
  if (value !== null) input.select();
  return answer();
}

function answer() {
  const read = () => (input.hidden ? dialog.returnValue : input.value);
  const result = () => (dialog.returnValue ? read() : null);
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(result()), { once: true }));
}
