// The choice of the model, if there is more than one.

const label = document.querySelector(".model");
const select = label.querySelector("select");
let choosing = false; // true until the server has taken the choice

export function setUpModel({ chooseModel }) {
  select.addEventListener("change", async () => {
    choosing = true;
    await chooseModel(select.value || null);
    choosing = false;
  });
}

export function showModel(state, before) {
  if (state.models !== before.models) select.replaceChildren(...optionsFor(state.models));
  label.hidden = state.models.length < 2;
  if (!choosing) select.value = modelOf(state);
}

// Without a choice, the server takes its default, which it may change.
const optionsFor = (models) => [new Option("Default", ""), ...models.map((name) => new Option(name))];

// The operator may have withdrawn the model of the chat. Then the default counts.
function modelOf({ models, chats, openChat }) {
  const chosen = chats.find(({ id }) => id === openChat)?.settings?.model;
  return models.includes(chosen) ? chosen : "";
}
