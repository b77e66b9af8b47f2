/**
 * Every key of the config and what it may hold: the single source of the types, of the checks, of
 * schema/config.schema.json and of the table in docs/configuration.md. What several keys must agree on is
 * in rules.ts.
 */
import { z } from "zod";
import {
  closed,
  duration,
  flag,
  judged,
  mapOf,
  name,
  note,
  oneOf,
  reference,
  secretNames,
  secretText,
  unless,
  whole,
} from "./fields";
import { kubernetes, volumeClaim } from "./kubernetes";
import { repository } from "./repository";
import { service } from "./service";
import { backendProblem, ENVIRONMENT, HOST, LABEL, releaseProblem, tagProblem, VARIABLE } from "./values";
import { workflows } from "./workflows";

const repositoryReference = reference("write one such as ghcr.io/acme/shop/server", (value) => {
  const extra = value.digest !== undefined ? "digest" : value.tag !== undefined ? "tag" : undefined;
  return extra && `has a ${extra}, but each environment follows its own tag — leave the ${extra} out`;
});

const image = closed("an image", {
  repository: note(repositoryReference, {
    description: "Where the image is, without tag and digest.",
    example: "ghcr.io/acme/shop/server",
  }),
  source: note(repositoryReference.optional(), {
    description: "Where its releases are, on the same registry: promoting one brings it into `repository`.",
    otherwise: "`repository`",
    example: "ghcr.io/acme/build/server",
  }),
});

const registry = closed("username and password", {
  username: note(name("the registry's user").min(1, { error: "is empty — write the registry's user" }), {
    description: "User of the registry.",
    example: "acme-bot",
  }),
  password: note(secretText(), { description: "Password or token; encrypted.", secret: true }),
});

const otherEnvironment = unless(
  "an environment",
  "write the name of another environment's stack, for example dev",
);

const rollout = closed("the rollout", {
  after: note(
    z.string({ error: otherEnvironment }).regex(ENVIRONMENT, { error: otherEnvironment }).optional(),
    {
      description: "Another environment: only what is healthy there may roll here.",
      otherwise: "none has to be healthy first",
      example: "dev",
    },
  ),
  for: note(duration("1s", "720h").optional(), {
    description: "How long it must have been healthy there. Needs `after`.",
    otherwise: "no time",
    example: "30m",
  }),
  lockstep: note(flag().prefault(true), {
    description: "Images that carry the same commit roll together or not at all.",
    example: false,
  }),
  deadline: note(duration("1s", "1h").prefault("60s"), {
    description: "Time in which all replicas must be well; after it the roll is undone.",
    example: "2m",
  }),
  soak: note(duration("0s", "1h").prefault("5s"), {
    description: "Time to stay well after the switch before a digest counts as healthy.",
    example: "30s",
  }),
  settle: note(duration("0s", "10m").prefault("1s"), {
    description: "Time without another move of a tag before a roll starts.",
    example: "5s",
  }),
  interval: note(duration("1s", "1h").prefault("2s"), {
    description: "Time between two looks at the registry.",
    example: "10s",
  }),
  drain: note(duration("0s", "10m").prefault("10s"), {
    description: "Time that an old container has to finish its requests.",
    example: "30s",
  }),
  keep: note(whole("a number of images", 1).prefault(3), {
    description:
      "Images of a service kept besides the current one; on Kubernetes, revisions of its Deployment.",
    example: 5,
  }),
});

const edge = closed("the edge", {
  image: note(
    reference("write one such as docker.io/library/caddy:2.11-alpine", (value) =>
      value.tag === undefined && value.digest === undefined
        ? "has neither tag nor digest — add one"
        : undefined,
    ).prefault("docker.io/library/caddy:2.11-alpine"),
    {
      description: "Image of the reverse proxy (Caddy), with a tag or digest.",
      example: "ghcr.io/acme/caddy:2.11",
    },
  ),
});

const watcher = closed("the watcher", {
  image: note(
    reference("write the watcher's image, for example ghcr.io/acme/tagalong:1.0.0", () => undefined),
    { description: "Image of the watcher.", example: "ghcr.io/acme/tagalong:1.0.0" },
  ),
  backend: note(
    judged(backendProblem, unless("the URL of a state backend", "write one such as s3://acme-state")),
    {
      description:
        "Pulumi state that the watcher uses: `file:///path`, `s3://`, `gs://`, `azblob://` or `https://`.",
      example: "s3://acme-state",
    },
  ),
  volumeClaim: note(volumeClaim.optional(), {
    description: "PersistentVolumeClaim that holds the folder of a `file://` backend. Kubernetes only.",
    otherwise: "none",
    example: "state",
  }),
  secrets: secretNames("the watcher"),
});

const images = note(
  mapOf(image, "images", "write name: {repository: ghcr.io/acme/shop/server}").refine(
    (map) => Object.keys(map).length > 0,
    { error: "is empty — name at least one image, with its repository" },
  ),
  {
    description: "Images by name; the same for all stacks, so in Pulumi.yaml.",
    placeholder: "image",
    keys: LABEL,
  },
);

const noRelease = (issue: { readonly input?: unknown }): string =>
  typeof issue.input === "number"
    ? (releaseProblem(String(issue.input)) ?? "is a number — write it in quotes")
    : unless("a release", 'write a version such as "1.4.2", or remove the key')(issue);

/** What an environment's stack may hold. */
export const environmentSchema = closed("the config of a stack", {
  images,
  engine: note(oneOf(["docker", "kubernetes"], "an engine").prefault("docker"), {
    description: "What runs the containers: `docker`, one machine; or `kubernetes`, see kubernetes.md.",
    example: "kubernetes",
  }),
  kubernetes: note(kubernetes.prefault({}), {
    description: "Which cluster, and where on it. Kubernetes only.",
  }),
  tag: note(judged(tagProblem, unless("a tag", "write a moving tag, for example dev")), {
    description:
      "Environment tag, followed on every image. No version and no `sha-<commit>`: those never move.",
    otherwise: "the stack's name",
    example: "dev",
  }),
  release: note(judged(releaseProblem, noRelease).optional(), {
    description:
      "What the environment is to run: a version's tag, `sha-<commit>`, or a digest where there is one image. `pulumi up` moves the environment tag to it; nothing else rolls.",
    otherwise: "whatever carries the environment tag",
    example: "1.4.2",
  }),
  services: note(
    mapOf(service, "services", "write name: {image: …, port: …}").refine(
      (map) => Object.keys(map).length > 0,
      {
        error: "is empty — name at least one service, with its image",
      },
    ),
    {
      description: "Services by name; other services reach them under it.",
      placeholder: "service",
      keys: LABEL,
    },
  ),
  secrets: note(
    mapOf(
      secretText(),
      "secrets",
      "set them with pulumi config set --secret --path tagalong:secrets.NAME",
    ).prefault({}),
    {
      description:
        "Secret texts by name, encrypted: `pulumi config set --secret --path tagalong:secrets.NAME`.",
      placeholder: "NAME",
      keys: VARIABLE,
      secret: true,
    },
  ),
  registries: note(mapOf(registry, "registries", "write host: {username: …, password: …}").prefault({}), {
    description: "Credentials by registry.",
    placeholder: "host",
    keys: HOST,
  }),
  rollout: note(rollout.prefault({}), { description: "How the environment rolls." }),
  keepVolumes: note(flag().prefault(true), {
    description:
      "`pulumi destroy` leaves the volumes. After an `up` with `false`, it deletes them and their data. Docker only.",
    example: false,
  }),
  edge: note(edge.prefault({}), { description: "The reverse proxy in front of the services. Docker only." }),
  watcher: note(watcher.optional(), {
    description: "Runs the watcher as a container of the environment; on Kubernetes, as a Deployment.",
    otherwise: "no watcher container",
  }),
});

/** What the repository's stack may hold. */
export const repositorySchema = closed("the config of the repository's stack", {
  images,
  repository: note(repository, { description: "The GitHub repository; in Pulumi.repository.yaml alone." }),
  workflows: note(workflows.prefault({}), {
    description:
      "The CI/CD workflows of the repository; in Pulumi.repository.yaml alone, see workflows.md. `{}` will do for `pulumi up` to write them.",
    otherwise: "nothing is written",
  }),
});
