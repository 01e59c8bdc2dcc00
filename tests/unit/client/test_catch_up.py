"""The page asks for missed changes until there are no more, one catch-up at a time."""

from playwright.sync_api import Page

# The server has two pages of changes. `again` asks once more while the first page is under way.
CATCH_UP = """async (again) => {
    const { createCatchUp } = await import("/client/wire/catch-up.js");
    const asked = [];
    const state = { cursor: 1, openChat: null };
    const api = {
        sync: async (cursor) => {
            asked.push(cursor);
            await null;
            if (again && asked.length === 1) second = catchUp();
            return { cursor: Math.min(cursor + 1, 3), hasMore: cursor < 2 };
        },
    };
    const dispatch = (type, page) => (state.cursor = page.cursor);
    const catchUp = createCatchUp({ api, dispatch, read: () => state });
    let second = null;
    const first = catchUp();
    await first;
    return { asked, shared: second === first };
}"""


def test_each_page_is_asked_for_with_the_cursor_of_the_one_before(page: Page) -> None:
    assert page.evaluate(CATCH_UP, False)["asked"] == [1, 2]


def test_a_call_during_a_catch_up_shares_it_and_has_it_ask_once_more(page: Page) -> None:
    assert page.evaluate(CATCH_UP, True) == {"asked": [1, 2, 3], "shared": True}
