// Saves an edit, and tells the dialog. A refusal goes there if the edit is still on its screen, and to the page if not.
// `sent` is the text of the edit, and `news` is the value for its `save`.
export async function trySaving(edit, sent, news, { isShown, showSending, tell, close }) {
  showSending(edit, true);
  try {
    await edit.save(news);
    edit.taken(sent);
    if (isShown(edit)) close();
  } catch (refusal) {
    if (isShown(edit)) tell(refusal.message);
    else edit.say(refusal.message);
  } finally {
    showSending(edit, false);
  }
}
