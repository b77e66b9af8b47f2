/**
 * The schema of one service: what it runs, how it is reached, what it may do and when it counts as well.
 */
import { z } from "zod";
import { nearest, show } from "./explain";
import {
  closed,
  flag,
  listOf,
  mapOf,
  memory,
  name,
  note,
  oneOf,
  parsed,
  port,
  publish,
  secretNames,
  unless,
  variable,
  whole,
} from "./fields";
import { autoscale, ingress } from "./kubernetes";
import { CAPABILITIES, LABEL, parseMountPath, VARIABLE } from "./values";

const words = z
  .string({ error: unless("a text", "write it in quotes") })
  .refine((text) => !text.includes("\0"), {
    error: "holds a NUL character, which no command can — remove it",
  });

const capability = z.enum(CAPABILITIES as [string, ...string[]], {
  error: (issue) => {
    const near =
      typeof issue.input === "string" ? nearest(issue.input.replace(/^cap_/i, ""), CAPABILITIES) : undefined;
    return `${show(issue.input)} is not a Linux capability — ${near === undefined ? "see capabilities(7); write it without CAP_" : `did you mean ${near}?`}`;
  },
});

const noUser = unless("a user", 'write a name, a number, or "user:group"');
const user = z.union(
  [z.string().regex(/^[^\s:]+(?::[^\s:]+)?$/, { error: noUser }), z.int().min(0, { error: noUser })],
  {
    error: noUser,
  },
);

const health = closed("a health check", {
  path: note(
    parsed(
      /^\/[^\s#]*$/,
      (text) => text,
      unless("a path", "write one that starts with /, for example /healthz"),
    ),
    { description: "Path that a GET must answer with 2xx or 3xx.", example: "/healthz" },
  ),
  port: note(port().optional(), {
    description: "Port that is asked.",
    otherwise: "the service's `port`",
    example: 9090,
  }),
});

const resources = closed("limits", {
  cpu: note(
    z
      .number({ error: unless("a number of cores", "write a number such as 0.5, without quotes") })
      .min(0.01, { error: unless("a number of cores", "write 0.01 or more") })
      .max(1024, { error: unless("a number of cores", "write 1024 or less") })
      .optional(),
    { description: "Cores that a replica may use.", otherwise: "no limit", example: 0.5 },
  ),
  memory: note(memory().optional(), {
    description: "Memory that a replica may use.",
    otherwise: "no limit",
    example: "256Mi",
  }),
});

export const service = closed("a service", {
  image: note(name("one of tagalong:images"), { description: "Which of `images` runs.", example: "server" }),
  port: note(port().optional(), {
    description: "HTTP port that the container listens on.",
    otherwise: "none: a worker without traffic",
    example: 8080,
  }),
  publish: note(publish().optional(), {
    description:
      "Host port that leads to the service: a port (on loopback) or `ADDRESS:PORT`; on Kubernetes, a node port. Needs `port`.",
    otherwise: "not reachable from the host",
    example: "0.0.0.0:8080",
  }),
  ingress: note(ingress.optional(), {
    description: "Leads a host name to the service. Needs `port`. Kubernetes only.",
    otherwise: "none",
  }),
  autoscale: note(autoscale.optional(), {
    description: "Instead of `replicas`: as many as their use of `resources.cpu` asks for. Kubernetes only.",
    otherwise: "`replicas`",
  }),
  env: note(mapOf(variable(), "environment variables", "write NAME: value").prefault({}), {
    description:
      "Environment variables; values reach the container verbatim, `$`, quotes and newlines included.",
    example: { LOG_LEVEL: "debug" },
    placeholder: "NAME",
    keys: VARIABLE,
  }),
  secrets: secretNames("the service"),
  volumes: note(
    mapOf(
      parsed(
        /^\//,
        parseMountPath,
        unless("a path below / in the container", "write an absolute path such as /var/lib/data"),
      ),
      "volumes",
      "write volume-name: /path/in/the/container",
    ).prefault({}),
    {
      description:
        "Volumes and where the container sees them. Services that name the same volume share it. Docker only.",
      example: { data: "/var/lib/data" },
      placeholder: "volume",
      keys: LABEL,
    },
  ),
  command: note(
    listOf(words, "texts", "write [program, argument, …]")
      .min(1, { error: "is an empty list — remove it to run the image's own command" })
      .optional(),
    {
      description: "Command, instead of the image's own.",
      otherwise: "the image's",
      example: ["worker", "--queue=mail"],
    },
  ),
  replicas: note(whole("a number of replicas", 1, 50).prefault(1), {
    description: "Containers that run side by side.",
    example: 3,
  }),
  resources: note(resources.prefault({}), { description: "Limits of one replica." }),
  health: note(health.optional(), {
    description: "How to ask a replica whether it is well.",
    otherwise:
      "the image's `HEALTHCHECK` (on Docker alone); without one, the port answers, or the container runs",
  }),
  restart: note(
    oneOf(["always", "unless-stopped", "on-failure", "no"], "a restart policy").prefault("unless-stopped"),
    {
      description:
        'When the engine starts a stopped container again: `always`, `unless-stopped`, `on-failure` or `"no"`; on Kubernetes it always does.',
      example: "on-failure",
    },
  ),
  readOnly: note(flag().prefault(true), {
    description: "Root file system is read-only, with a temporary file system at `/tmp`.",
    example: false,
  }),
  capabilities: note(listOf(capability, "Linux capabilities", "write [NET_BIND_SERVICE]").prefault([]), {
    description: "Linux capabilities given back; all others are dropped.",
    example: ["NET_BIND_SERVICE"],
  }),
  user: note(user.transform(String).optional(), {
    description: "User, or `user:group`, that the container runs as.",
    otherwise: "the image's",
    example: "1000:1000",
  }),
});
