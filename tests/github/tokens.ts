// What a token permits: a fine-grained one says so itself, a classic one by its scopes.
import type { Token } from "./world";

/** A classic token's scopes as what they permit; the role of who it belongs to is another matter. */
export function permissionsOf(token: Token | undefined): Token["permissions"] {
  if (token?.scopes === undefined) return token?.permissions ?? {};
  const { scopes } = token;
  const all = [
    "administration",
    "actions",
    "contents",
    "environments",
    "issues",
    "repository_hooks",
    "pull_requests",
    "deployments",
  ];
  const repo = scopes.includes("repo") ? all.map((name) => [name, "write"] as const) : [];
  const workflows =
    scopes.includes("repo") && scopes.includes("workflow") ? [["workflows", "write"] as const] : [];
  const packages = scopes.some((scope) => scope.endsWith(":packages")) ? [["packages", "read"] as const] : [];
  const members = scopes.includes("read:org") ? [["members", "read"] as const] : [];
  return Object.fromEntries([...repo, ...workflows, ...packages, ...members]);
}
