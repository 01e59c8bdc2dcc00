// A client that a builder would write against generated types. `tsc --strict` must find no error in it.
import createClient from "openapi-fetch";
import type { components, paths } from "./openapi";

const api = createClient<paths>({ baseUrl: "http://127.0.0.1:8000" });

export async function ask(email: string, password: string, content: string): Promise<components["schemas"]["LiveMessage"]> {
  const { data: session, error: refused } = await api.POST("/auth/sign-in", { body: { email, password } });
  if (!session) throw new Error(`${refused.code}: ${refused.detail}, try again after ${refused.retryAfter ?? 0} s`);
  const plan: string = session.user.subscription?.plan ?? "no plan";
  const headers = { Authorization: `Bearer ${session.accessToken}` };
  const { data: chat } = await api.POST("/chats", { headers, body: { title: `Chat of ${session.user.email}, ${plan}` } });
  const path = { sessionId: chat?.displayId ?? "" };
  const header = { "Idempotency-Key": "one-question" };
  const { data: posted, error } = await api.POST("/chats/{sessionId}/messages", { headers, params: { path, header }, body: { content } });
  if (!posted) throw new Error(`${error.status} ${error.code} ${error.title}`);
  if (!posted.reply) throw new Error("Only a message with `generate: false` has no reply");
  let cursor: string | null = null;
  do {
    const page: { data?: components["schemas"]["MessagePage"] } = await api.GET("/chats/{sessionId}/messages", {
      headers,
      params: { path, query: cursor ? { cursor } : {} },
    });
    cursor = page.data?.nextCursor ?? null;
  } while (cursor);
  const { data: changes } = await api.GET("/sync", { headers, params: { query: { after: posted.reply.seq } } });
  if (changes && !changes.reset) for (const row of changes.messages) console.log(row.deleted ? row.id : row.content);
  return posted.reply;
}
