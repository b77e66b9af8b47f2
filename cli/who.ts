// Who says so, as records of holds and overrides have it.
import { hostname, userInfo } from "node:os";

/** User and host, as in `ada@build-7`. */
export function who(): string {
  return `${userName()}@${hostname()}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env["USER"] ?? String(process.getuid?.() ?? "somebody"); // a container's user may have no name
  }
}
