"""The page's session exchanges the token once for all callers, and ends after a refusal."""

from typing import Any

from playwright.sync_api import Page

# Plays `steps` on a new session. Each answer of the server is [status, body]; the last one repeats.
PLAY = """async ({ answers, steps }) => {
    const { Session } = await import("/client/wire/session.js");
    const { request } = await import("/client/wire/api.js");
    const real = window.fetch;
    const calls = [];
    const told = [];
    window.fetch = async (path, { headers }) => {
        calls.push([path, headers.Authorization ?? null]);
        const [status, body] = answers.length > 1 ? answers.shift() : answers[0];
        return new Response(body && JSON.stringify(body), { status });
    };
    const session = new Session({ signedIn: ({ id }) => told.push(id), signedOut: () => told.push("out") });
    const act = {
        signIn: () => session.signIn({ email: "e", password: "p" }),
        read: () => session.withToken((token) => request("GET", "/chats", { token })),
        renew: () => session.renew(),
        twoReads: () => Promise.all([act.read(), act.read()]),
        signOut: () => session.signOut(),
    };
    const outcomes = [];
    for (const step of steps) outcomes.push(await act[step]().then(() => "done", ({ status }) => status));
    window.fetch = real;
    return { calls, told, outcomes };
}"""


def token(name: str, expires_in: int = 900) -> tuple[int, Any]:
    return 200, {"accessToken": name, "expiresIn": expires_in, "user": {"id": "me"}}


def play(page: Page, steps: list[str], *answers: tuple[int, Any]) -> Any:
    return page.evaluate(PLAY, {"answers": answers, "steps": steps})


def test_two_calls_that_need_a_token_share_one_exchange(page: Page) -> None:
    found = play(page, ["twoReads"], token("a"), (200, {}))
    assert found["calls"] == [["/auth/refresh", None], ["/chats", "Bearer a"], ["/chats", "Bearer a"]]
    assert found["told"] == ["me"]


def test_a_valid_token_is_used_again(page: Page) -> None:
    found = play(page, ["signIn", "read", "read"], token("a"), (200, {}))
    assert [path for path, _ in found["calls"]] == ["/auth/sign-in", "/chats", "/chats"]


def test_a_refused_token_is_exchanged_and_the_call_is_repeated_once(page: Page) -> None:
    found = play(page, ["signIn", "read"], token("a"), (401, {}), token("b"), (401, {}))
    paths = ["/auth/sign-in", "/chats", "/auth/refresh", "/chats"]
    assert found["calls"] == [[path, by] for path, by in zip(paths, [None, "Bearer a", None, "Bearer b"], strict=True)]
    assert found["outcomes"] == ["done", 401]


def test_a_refused_exchange_ends_the_session_and_a_failed_one_does_not(page: Page) -> None:
    assert play(page, ["signIn", "renew"], token("a"), (401, {}))["told"] == ["me", "out"]
    kept = play(page, ["signIn", "renew", "read"], token("a"), (503, {}), (200, {}))
    assert (kept["told"], kept["outcomes"]) == (["me"], ["done", 503, "done"])


def test_a_sign_out_that_fails_leaves_the_session_as_it_is(page: Page) -> None:
    assert play(page, ["signIn", "signOut"], token("a"), (503, {}))["told"] == ["me"]
    assert play(page, ["signIn", "signOut"], token("a"), (204, None))["told"] == ["me", "out"]
