import assert from "node:assert/strict";
import { serviceMistakes } from "./given";

const at = "tagalong:services.server";

/** What is written in a service, and the exact lines that a user sees. */
const table: readonly (readonly [
  title: string,
  values: Record<string, unknown>,
  lines: readonly string[],
])[] = [
  ["no image", { image: undefined }, [`${at}.image: is missing — write the name of one of tagalong:images`]],
  [
    "an image that is not there",
    { image: "serverr" },
    [`${at}.image: "serverr" is not in tagalong:images — did you mean server?`],
  ],
  [
    "a port out of range",
    { port: 65_536 },
    [`${at}.port: 65536 is not a port — write a whole number, 1 to 65535, without quotes`],
  ],
  [
    "a port as text",
    { port: "8080" },
    [`${at}.port: "8080" is not a port — write a whole number, 1 to 65535, without quotes`],
  ],
  ["an unknown key", { prot: 80 }, [`${at}.prot: unknown key — did you mean port?`]],
  ["healthcheck for health", { healthcheck: {} }, [`${at}.healthcheck: unknown key — did you mean health?`]],
  [
    "a publication without port",
    { port: undefined, publish: 8080 },
    [
      `${at}.publish: has no port to lead to — add tagalong:services.server.port, the port that the container listens on`,
    ],
  ],
  [
    "a host's name in publish",
    { publish: "localhost:8080" },
    [
      `${at}.publish: "localhost:8080" is not a host port — write a port such as 8080 (loopback), or "ADDRESS:PORT" with an IP address`,
    ],
  ],
  [
    "an address out of range in publish",
    { publish: "256.0.0.1:8080" },
    [
      `${at}.publish: "256.0.0.1:8080" is not a host port — write a port such as 8080 (loopback), or "ADDRESS:PORT" with an IP address`,
    ],
  ],
  [
    "port 0 in publish",
    { publish: 0 },
    [
      `${at}.publish: 0 is not a host port — write a port such as 8080 (loopback), or "ADDRESS:PORT" with an IP address`,
    ],
  ],
  [
    "a variable's name with a dash",
    { env: { "LOG-LEVEL": "debug" } },
    [`${at}.env.LOG-LEVEL: is no variable name — use letters, digits and "_", not starting with a digit`],
  ],
  [
    "a variable named __proto__",
    { env: JSON.parse('{"__proto__": "x"}') },
    [`${at}.env.__proto__: is no variable name — use letters, digits and "_", not starting with a digit`],
  ],
  [
    "a variable without value",
    { env: { A: null } },
    [`${at}.env.A: is empty — write "" for an empty text, or remove the key`],
  ],
  [
    "a variable that is a map",
    { env: { A: { B: "c" } } },
    [`${at}.env.A: a map is not a text, number or boolean — write one of these`],
  ],
  [
    "a variable with a NUL",
    { env: { A: "b\0c" } },
    [`${at}.env.A: holds a NUL character, which no environment variable can — remove it`],
  ],
  [
    "a number that has lost digits",
    { env: JSON.parse('{"A": 12345678901234567890}') },
    [`${at}.env.A: 12345678901234567000 has lost digits — write it in quotes`],
  ],
  [
    "a secret that is not set",
    { secrets: ["DATABASE_URL"] },
    [
      `${at}.secrets[0]: "DATABASE_URL" is not in tagalong:secrets — set it with pulumi config set --secret --path tagalong:secrets.DATABASE_URL`,
    ],
  ],
  [
    "a volume at the root",
    { volumes: { data: "/" } },
    [
      `${at}.volumes.data: "/" is not a path below / in the container — write an absolute path such as /var/lib/data`,
    ],
  ],
  [
    "a volume at a relative path",
    { volumes: { data: "data" } },
    [
      `${at}.volumes.data: "data" is not a path below / in the container — write an absolute path such as /var/lib/data`,
    ],
  ],
  [
    "a volume at a path that goes up",
    { volumes: { data: "/data/../etc" } },
    [
      `${at}.volumes.data: "/data/../etc" is not a path below / in the container — write an absolute path such as /var/lib/data`,
    ],
  ],
  [
    "two volumes at one path",
    { volumes: { data: "/data", more: "/data/" } },
    [`${at}.volumes.more: /data already holds tagalong:services.server.volumes.data — choose another path`],
  ],
  [
    "a volume with an uppercase name",
    { volumes: { Data: "/data" } },
    [`${at}.volumes.Data: names are lowercase — rename it to data`],
  ],
  [
    "a command that is one text",
    { command: "worker --queue mail" },
    [`${at}.command: "worker --queue mail" is not a list of texts — write [program, argument, …]`],
  ],
  [
    "a command with a number",
    { command: ["sleep", 60] },
    [`${at}.command[1]: 60 is not a text — write it in quotes`],
  ],
  [
    "an empty command",
    { command: [] },
    [`${at}.command: is an empty list — remove it to run the image's own command`],
  ],
  [
    "no replica",
    { replicas: 0 },
    [`${at}.replicas: 0 is not a number of replicas — write a whole number, 1 to 50, without quotes`],
  ],
  [
    "51 replicas",
    { replicas: 51 },
    [`${at}.replicas: 51 is not a number of replicas — write a whole number, 1 to 50, without quotes`],
  ],
  [
    "half a replica",
    { replicas: 1.5 },
    [`${at}.replicas: 1.5 is not a number of replicas — write a whole number, 1 to 50, without quotes`],
  ],
  [
    "cores as text",
    { resources: { cpu: "500m" } },
    [`${at}.resources.cpu: "500m" is not a number of cores — write a number such as 0.5, without quotes`],
  ],
  [
    "no cores",
    { resources: { cpu: 0 } },
    [`${at}.resources.cpu: 0 is not a number of cores — write 0.01 or more`],
  ],
  [
    "memory in Docker's lowercase",
    { resources: { memory: "256m" } },
    [
      `${at}.resources.memory: "256m" is not an amount of memory — write at least 6Mi, with Ki, Mi, Gi, K, M or G after the number`,
    ],
  ],
  [
    "less memory than Docker takes",
    { resources: { memory: "1Mi" } },
    [
      `${at}.resources.memory: "1Mi" is not an amount of memory — write at least 6Mi, with Ki, Mi, Gi, K, M or G after the number`,
    ],
  ],
  [
    "a health check without path",
    { health: {} },
    [`${at}.health.path: is missing — write one that starts with /, for example /healthz`],
  ],
  [
    "a health check whose path is relative",
    { health: { path: "healthz" } },
    [`${at}.health.path: "healthz" is not a path — write one that starts with /, for example /healthz`],
  ],
  [
    "a health check without any port",
    { port: undefined, health: { path: "/" } },
    [`${at}.health: the service has no port to ask — add tagalong:services.server.health.port`],
  ],
  [
    "an unknown restart policy",
    { restart: false },
    [`${at}.restart: false is not a restart policy — write "always", "unless-stopped", "on-failure" or "no"`],
  ],
  [
    "readOnly as text",
    { readOnly: "no" },
    [`${at}.readOnly: "no" is not a boolean — write true or false, without quotes`],
  ],
  [
    "a capability in Linux' own spelling",
    { capabilities: ["CAP_NET_RAW"] },
    [`${at}.capabilities[0]: "CAP_NET_RAW" is not a Linux capability — did you mean NET_RAW?`],
  ],
  [
    "a capability that does not exist",
    { capabilities: ["ALL"] },
    [`${at}.capabilities[0]: "ALL" is not a Linux capability — see capabilities(7); write it without CAP_`],
  ],
  [
    "a user with a blank",
    { user: "web server" },
    [`${at}.user: "web server" is not a user — write a name, a number, or "user:group"`],
  ],
];

describe("A service", () => {
  for (const [title, values, lines] of table) {
    it(`refuses ${title}`, () => assert.deepEqual(serviceMistakes(values), lines));
  }
});
