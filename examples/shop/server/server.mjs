// The shop's server: says who it is, and whether it was given a database. The database's address is a secret
// and is never repeated, neither here nor in a log.
import { run } from "../shared/service.mjs";

void run("server", (env) => {
  const database = { configured: Boolean(env["DATABASE_URL"]) };
  return () => ({ body: { database } });
});
