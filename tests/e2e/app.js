// The service that the end-to-end tests roll: plain HTTP, told by variables of its image how to behave. It runs as
// `node -e`, out of the image's config, so that a new version of it is one blob and one manifest.
const { createServer, get } = require("node:http");
const { appendFileSync, readFileSync } = require("node:fs");
const {
  VERSION,
  EXIT_CODE,
  SAYS,
  HEALTHY_AFTER_MS,
  UNHEALTHY,
  DEAF,
  WRITES,
  LINGER_MS,
  PORT = "8080",
} = process.env;

if (SAYS) console.log(SAYS);
if (WRITES) appendFileSync(WRITES, `${VERSION}\n`);
if (EXIT_CODE) process.exit(Number(EXIT_CODE));

let leaving = false;
let sick = Boolean(UNHEALTHY);
const healthyAt = Date.now() + Number(HEALTHY_AFTER_MS ?? 0);
const answers = {
  "/healthz": (_url, reply) => reply(!sick && Date.now() >= healthyAt ? 200 : 503, "health"),
  "/sicken": (_url, reply) => {
    sick = true;
    reply(200);
  },
  "/slow": (url, reply) => setTimeout(() => reply(200), Number(url.searchParams.get("ms"))),
  "/env": (url, reply) => reply(200, process.env[url.searchParams.get("name")]),
  "/file": (url, reply) => reply(200, readFileSync(url.searchParams.get("path"), "utf8")),
  "/call": (url, reply) => {
    // A connection of its own: one that stays open stays with one replica, where no edge is between.
    get(url.searchParams.get("url"), { agent: false }, async (response) => {
      let text = "";
      for await (const chunk of response) text += chunk;
      reply(response.statusCode, JSON.parse(text));
    }).on("error", (error) => reply(502, error.message));
  },
};

const server = createServer((request, response) => {
  const url = new URL(request.url, "http://app");
  const reply = (status, said) => {
    const last = leaving ? { connection: "close" } : {};
    response.writeHead(status, { "content-type": "application/json", ...last });
    response.end(JSON.stringify({ version: VERSION, host: process.env.HOSTNAME, said }));
  };
  request.resume().on("end", () => (answers[url.pathname] ?? ((_url, answer) => answer(200)))(url, reply));
});
// Clients close what they do not use, not the service: a request may be on its way.
server.keepAliveTimeout = 600_000;
server.listen(Number(PORT), () => console.log(`version ${VERSION} listens`));

// Where no edge is between, whoever holds a connection is told by its next answer that it ends, before it does.
process.on("SIGTERM", () => {
  if (DEAF) return;
  leaving = true;
  setTimeout(
    () => {
      server.close(() => process.exit(0));
      server.closeIdleConnections();
    },
    Number(LINGER_MS ?? 0),
  );
});
