// Variables and secrets of environments. Secrets arrive sealed for the environment's public key, and are never shown.
import { generateKeyPairSync } from "node:crypto";
import { type Answer, notFound, type Route, refusal } from "../world";
import type { Environments } from "./environments";

const one = "/repos/{owner}/{repo}/environments/{environment_name}";
const times = { created_at: "2026-01-01T00:00:00Z", updated_at: "2026-01-01T00:00:00Z" };
const keyId = "568250167242549743";

export class EnvironmentValues {
  /** Curve25519, as libsodium's sealed boxes take it. */
  readonly publicKey = generateKeyPairSync("x25519")
    .publicKey.export({ type: "spki", format: "der" })
    .subarray(-32);

  constructor(private readonly environments: Environments) {}

  readonly routes: Route[] = [
    ...this.#variables(),
    {
      method: "GET",
      path: `${one}/secrets/public-key`,
      needs: ["environments", "read"],
      handle: (call) =>
        this.environments.with(call, () => ({
          status: 200,
          body: { key_id: keyId, key: this.publicKey.toString("base64") },
        })),
    },
    {
      method: "GET",
      path: `${one}/secrets`,
      needs: ["environments", "read"],
      handle: (call) =>
        this.environments.with(call, ({ secrets }) => ({
          status: 200,
          body: {
            total_count: secrets.size,
            secrets: [...secrets.keys()].map((name) => ({ name, ...times })),
          },
        })),
    },
    ...(["GET", "PUT", "DELETE"] as const).map(
      (method): Route => ({
        method,
        path: `${one}/secrets/{secret_name}`,
        needs: ["environments", method === "GET" ? "read" : "write"],
        handle: (call) =>
          this.environments.with(call, ({ secrets }): Answer => {
            const { secret_name: name = "" } = call.parameters;
            const has = secrets.has(name);
            if (method === "PUT") {
              const { encrypted_value, key_id } = call.body as Record<string, string>;
              if (key_id !== keyId) return refusal(422, "The key_id is not the environment's.");
              secrets.set(name, encrypted_value ?? "");
              return has ? { status: 204 } : { status: 201, body: {} };
            }
            if (!has) return notFound();
            if (method === "GET") return { status: 200, body: { name, ...times } };
            secrets.delete(name);
            return { status: 204 };
          }),
      }),
    ),
  ];

  #variables(): Route[] {
    const base = `${one}/variables`;
    return [
      {
        method: "GET",
        path: base,
        needs: ["environments", "read"],
        handle: (call) =>
          this.environments.with(call, ({ variables }) => {
            const size = Math.min(Number(call.query.get("per_page") ?? 10), 30);
            const start = (Number(call.query.get("page") ?? 1) - 1) * size;
            const page = [...variables].slice(start, start + size);
            return {
              status: 200,
              body: {
                total_count: variables.size,
                variables: page.map(([name, value]) => ({ name, value, ...times })),
              },
            };
          }),
      },
      {
        method: "POST",
        path: base,
        needs: ["environments", "write"],
        handle: (call) =>
          this.environments.with(call, ({ variables }): Answer => {
            const { name = "", value = "" } = call.body as Record<string, string>;
            if (variables.has(name)) return refusal(409, `Already exists - Variable already exists`);
            variables.set(name, value);
            return { status: 201, body: {} };
          }),
      },
      ...(["GET", "PATCH", "DELETE"] as const).map(
        (method): Route => ({
          method,
          path: `${base}/{name}`,
          needs: ["environments", method === "GET" ? "read" : "write"],
          handle: (call) =>
            this.environments.with(call, ({ variables }): Answer => {
              const { name = "" } = call.parameters;
              if (!variables.has(name)) return notFound();
              if (method === "GET")
                return { status: 200, body: { name, value: variables.get(name), ...times } };
              if (method === "PATCH") variables.set(name, call.body["value"] as string);
              else variables.delete(name);
              return { status: 204 };
            }),
        }),
      ),
    ];
  }
}
