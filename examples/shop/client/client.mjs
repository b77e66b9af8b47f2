// The shop's client: says who it is, and passes on what the server answers.
import { run } from "../shared/service.mjs";
import { httpUrl } from "../shared/settings.mjs";
import { getJson } from "./get-json.mjs";

void run("client", (env, log) => {
  const url = httpUrl("SERVER_URL", env["SERVER_URL"]);
  if (!url) log("warn", "SERVER_URL is not set: the client answers without the server");
  return async () => {
    if (!url) return { body: { server: null } };
    try {
      return { body: { server: await getJson(url) } };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log("error", "the server did not answer", { reason });
      return { status: 502, body: { server: null, error: `the server did not answer: ${reason}` } };
    }
  };
});
