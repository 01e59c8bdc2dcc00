// The user chooses the model of the open chat. `page` is described in actions.js.

import { createAndOpen } from "./chats.js";

// In turn, so that a message which is sent right after the choice goes to the chosen model.
export async function chooseModel(page, model) {
  await page.inTurn(async () => {
    const id = page.read().openChat ?? (await createAndOpen(page));
    page.dispatch("chat.updated", await page.api.setModel(id, model));
  });
}
