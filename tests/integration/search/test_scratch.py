from tests.factories import *
from shared.actions.chats.change import rename_chat
from shared.actions.replies.finish import Answer, complete_reply

def test_a(me, user, chat):
    rename_chat(user.id, chat.id, "Über den Garten")
    p = a_post(chat, "Wie pflege ich einen GÄRTEN im Frühling? " + "x " * 300 + "garten")
    complete_reply(a_claim(p), Answer("Den Garten: “garten”, garten garten. 日本語のテスト", finish_reason="stop"))
    for q in ["garten", "gart", "garten fru", '"im frühling"', '"fruhling im"', "日本語", "本語", "garten 日本", "!!", "a'b\" OR *", "NOT", "zzz", "(", "gart:", "garten'; drop"]:
        r = me.get("/search", query_string={"q": q})
        print(q, r.status_code, r.json if r.status_code != 200 else [(i["messageId"] is None, "".join(("["+p["text"]+"]") if p["match"] else p["text"] for p in i["snippet"])) for i in r.json["items"]], r.json.get("nextCursor"))
    print(me.get("/search?q=").json, me.get("/search?q=%20").json, me.get("/search").json)
    r = me.get("/search?q=garten&limit=1"); print(r.json)
    while r.json["nextCursor"]:
        r = me.get("/search", query_string=dict(q="garten", limit=1, cursor=r.json["nextCursor"])); print(r.json)
