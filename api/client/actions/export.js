// The user takes chats home as a file. `page` is described in actions.js.

export const exportAll = (page, format) => save(page.api.exportAll(format));
export const exportChat = (page, format) => save(page.api.exportChat(page.read().openChat, format));

// A link could carry no token, so the page reads the file, and hands it to the browser.
async function save(reading) {
  const { name, blob } = await reading;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href)); // the download has begun by then
}
