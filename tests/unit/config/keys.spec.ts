import assert from "node:assert/strict";
import { mistakes } from "./given";

const images = { server: { repository: "ghcr.io/acme/shop/server" } };
const watcher = { image: "ghcr.io/acme/tagalong:1.0.0", backend: "s3://acme-state" };

/** What is written, and the exact lines that a user sees. */
const table: readonly (readonly [
  title: string,
  values: Record<string, unknown>,
  lines: readonly string[],
])[] = [
  [
    "no images",
    { images: undefined },
    ["tagalong:images: is missing — write name: {repository: ghcr.io/acme/shop/server}"],
  ],
  [
    "an empty map of images",
    { images: {}, services: { a: { image: "b" } } },
    [
      "tagalong:images: is empty — name at least one image, with its repository",
      'tagalong:services.a.image: "b" is not in tagalong:images — none is known here',
    ],
  ],
  [
    "an image whose repository has a tag",
    { images: { server: { repository: "ghcr.io/acme/server:dev" } } },
    [
      'tagalong:images.server.repository: "ghcr.io/acme/server:dev" has a tag, but each environment follows its own tag — leave the tag out',
    ],
  ],
  [
    "an image whose repository has a digest",
    { images: { server: { repository: `ghcr.io/acme/server@sha256:${"0".repeat(64)}` } } },
    [
      'tagalong:images.server.repository: "ghcr.io/acme/server@sha256:00000000000000000000000000000…" has a digest, but each environment follows its own tag — leave the digest out',
    ],
  ],
  [
    "an image without a repository",
    { images: { server: {} } },
    ["tagalong:images.server.repository: is missing — write one such as ghcr.io/acme/shop/server"],
  ],
  [
    "an image with an uppercase name",
    { images: { Server: images.server, server: images.server } },
    ["tagalong:images.Server: differs from server only in case — rename or remove one of them"],
  ],
  [
    "an unknown engine",
    { engine: "podman" },
    ['tagalong:engine: "podman" is not an engine — write "docker" or "kubernetes"'],
  ],
  [
    "a tag of a commit",
    { tag: "sha-0a1b2c3" },
    ['tagalong:tag: "sha-0a1b2c3" names one release and never moves — follow a moving tag, for example dev'],
  ],
  [
    "a tag of a digest",
    { tag: "sha256-0a1b2c3.sig" },
    [
      'tagalong:tag: "sha256-0a1b2c3.sig" names one release and never moves — follow a moving tag, for example dev',
    ],
  ],
  [
    "a version as tag",
    { tag: "1.2.3" },
    ['tagalong:tag: "1.2.3" names one release and never moves — follow a moving tag, for example dev'],
  ],
  [
    "a version with v and a suffix as tag",
    { tag: "v1.2.3-rc.1" },
    ['tagalong:tag: "v1.2.3-rc.1" names one release and never moves — follow a moving tag, for example dev'],
  ],
  [
    "what is no tag",
    { tag: "feature/x" },
    [
      'tagalong:tag: "feature/x" is not a tag — use letters, digits, "_", "." and "-", at most 128, starting with a letter, digit or "_"',
    ],
  ],
  ...(
    [
      [
        "a tag that moves",
        "latest",
        '"latest" is a tag that may move — write what stays: a version\'s tag such as 1.4.2, sha-<commit>, or a digest where there is one image',
      ],
      [
        "a version of two numbers, quoted",
        "v1.10",
        '"v1.10" is a tag that may move — write what stays: a version\'s tag such as 1.4.2, sha-<commit>, or a digest where there is one image',
      ],
      [
        "a number, as YAML reads it",
        1.1,
        '1.1 is a number to YAML, where 1.10 loses its zero — write the whole version in quotes, for example "1.10.0"',
      ],
      [
        "a number, as Pulumi hands it over",
        "1.1",
        '1.1 is a number to YAML, where 1.10 loses its zero — write the whole version in quotes, for example "1.10.0"',
      ],
      ["a bare commit", "a".repeat(40), `"${"a".repeat(40)}" is a commit — write sha-${"a".repeat(40)}`],
      [
        "a short commit",
        "sha-0a1b2c3",
        '"sha-0a1b2c3" is not the tag of one commit — write sha- and all 40 of its lowercase digits',
      ],
      [
        "a version with build metadata",
        "1.4.2+7",
        '"1.4.2+7" is not a tag, which has no + — write the version as the image\'s tag has it',
      ],
      [
        "a short digest",
        "sha256:abc",
        '"sha256:abc" is not a digest — write sha256: and 64 lowercase hexadecimal digits',
      ],
      [
        "a record's tag",
        "sha256-abc.dev.healthy",
        '"sha256-abc.dev.healthy" is not a digest — write sha256: and 64 lowercase hexadecimal digits',
      ],
      [
        "a reference",
        "acme/server:1.4.2",
        '"acme/server:1.4.2" names no release — write a version\'s tag such as 1.4.2, sha-<commit>, or a digest where there is one image',
      ],
      [
        "nothing",
        "",
        '"" names no release — write a version\'s tag such as 1.4.2, sha-<commit>, or a digest where there is one image',
      ],
      [
        "no text",
        null,
        'an empty value is not a release — write a version such as "1.4.2", or remove the key',
      ],
    ] as const
  ).map(
    ([title, release, line]) =>
      [`a release that is ${title}`, { release }, [`tagalong:release: ${line}`]] as const,
  ),
  [
    "a digest as release where there are two images",
    {
      release: `sha256:${"0".repeat(64)}`,
      images: { server: images.server, client: { repository: "ghcr.io/acme/shop/client" } },
      services: { client: { image: "client" }, server: { image: "server" }, worker: { image: "server" } },
    },
    [
      "tagalong:release: a digest is of one image, and the services run client, server — write a version's tag or sha-<commit>, which all of them carry",
    ],
  ],
  [
    "an image whose releases are on another registry",
    { images: { server: { ...images.server, source: "quay.io/acme/server" } } },
    [
      "tagalong:images.server.source: is on quay.io and the repository on ghcr.io, and images are not carried between registries — push its releases to ghcr.io first",
    ],
  ],
  [
    "an image whose releases are at a tag",
    { images: { server: { ...images.server, source: "ghcr.io/acme/build:dev" } } },
    [
      'tagalong:images.server.source: "ghcr.io/acme/build:dev" has a tag, but each environment follows its own tag — leave the tag out',
    ],
  ],
  [
    "a time of health without a place",
    { rollout: { for: "30m" } },
    [
      "tagalong:rollout.for: says for how long, and not where — add tagalong:rollout.after, the environment where it must have been healthy so long",
    ],
  ],
  [
    "an environment after itself",
    { rollout: { after: "dev" } },
    ["tagalong:rollout.after: is this environment itself — name the one before it, or remove the key"],
  ],
  [
    "an environment after the repository",
    { rollout: { after: "repository", for: "1h" } },
    ["tagalong:rollout.after: is the repository's stack, which runs nothing — name an environment"],
  ],
  [
    "an environment after what is none",
    { rollout: { after: "acme/dev" } },
    [
      'tagalong:rollout.after: "acme/dev" is not an environment — write the name of another environment\'s stack, for example dev',
    ],
  ],
  [
    "a time of health above thirty days",
    { rollout: { after: "test", for: "721h" } },
    ['tagalong:rollout.for: "721h" is out of bounds — write 1s to 720h, with ms, s, m or h after the number'],
  ],
  [
    "no services",
    { services: undefined },
    ["tagalong:services: is missing — write name: {image: …, port: …}"],
  ],
  [
    "an empty map of services",
    { services: {} },
    ["tagalong:services: is empty — name at least one service, with its image"],
  ],
  [
    "services that are no map",
    { services: "server" },
    ["tagalong:services: is not a map of services — write name: {image: …, port: …}"],
  ],
  [
    "a list of services",
    { services: [] },
    ["tagalong:services: is not a map of services — write name: {image: …, port: …}"],
  ],
  [
    "a duration without unit",
    { rollout: { deadline: 60 } },
    ["tagalong:rollout.deadline: 60 is not a duration — write 1s to 1h, with ms, s, m or h after the number"],
  ],
  [
    "a deadline below a second",
    { rollout: { deadline: "500ms" } },
    [
      'tagalong:rollout.deadline: "500ms" is out of bounds — write 1s to 1h, with ms, s, m or h after the number',
    ],
  ],
  [
    "a deadline above an hour",
    { rollout: { deadline: "61m" } },
    [
      'tagalong:rollout.deadline: "61m" is out of bounds — write 1s to 1h, with ms, s, m or h after the number',
    ],
  ],
  [
    "an interval below a second",
    { rollout: { interval: "999ms" } },
    [
      'tagalong:rollout.interval: "999ms" is out of bounds — write 1s to 1h, with ms, s, m or h after the number',
    ],
  ],
  [
    "a drain above ten minutes",
    { rollout: { drain: "11m" } },
    ['tagalong:rollout.drain: "11m" is out of bounds — write 0s to 10m, with ms, s, m or h after the number'],
  ],
  [
    "a duration with a blank",
    { rollout: { soak: "5 s" } },
    ['tagalong:rollout.soak: "5 s" is not a duration — write 0s to 1h, with ms, s, m or h after the number'],
  ],
  [
    "no image kept",
    { rollout: { keep: 0 } },
    ["tagalong:rollout.keep: 0 is not a number of images — write a whole number, 1 or more, without quotes"],
  ],
  [
    "lockstep as text",
    { rollout: { lockstep: "yes" } },
    ['tagalong:rollout.lockstep: "yes" is not a boolean — write true or false, without quotes'],
  ],
  [
    "an edge without tag and digest",
    { edge: { image: "docker.io/library/caddy" } },
    ['tagalong:edge.image: "docker.io/library/caddy" has neither tag nor digest — add one'],
  ],
  [
    "a watcher without backend and image",
    { watcher: {} },
    [
      "tagalong:watcher.backend: is missing — write one such as s3://acme-state",
      "tagalong:watcher.image: is missing — write the watcher's image, for example ghcr.io/acme/tagalong:1.0.0",
    ],
  ],
  [
    "a backend with a relative path",
    { watcher: { ...watcher, backend: "file://state" } },
    [
      'tagalong:watcher.backend: "file://state" is not the URL of a state backend — write file:///path, s3://bucket, gs://bucket, azblob://container or https://host',
    ],
  ],
  [
    "a backend with a password, which is not shown",
    { watcher: { ...watcher, backend: "http://me:hunter2@state" } },
    [
      "tagalong:watcher.backend: holds a password — leave it out of the URL, put it into tagalong:secrets and name it in tagalong:watcher.secrets",
    ],
  ],
  [
    "a watcher with a secret that is not set",
    { watcher: { ...watcher, secrets: ["PULUMI_CONFIG_PASSPHRASE"] } },
    [
      'tagalong:watcher.secrets[0]: "PULUMI_CONFIG_PASSPHRASE" is not in tagalong:secrets — set it with pulumi config set --secret --path tagalong:secrets.PULUMI_CONFIG_PASSPHRASE',
    ],
  ],
  [
    "the repository",
    { repository: { owner: "acme", name: "shop" } },
    ["tagalong:repository: stands in Pulumi.repository.yaml alone — remove it here"],
  ],
  [
    "an unknown key that is nearly known",
    { servics: {} },
    ["tagalong:servics: unknown key — did you mean services?"],
  ],
  ["an unknown key in another case", { Tag: "dev" }, ["tagalong:Tag: unknown key — did you mean tag?"]],
  [
    "an unknown key of the rollout",
    { rollout: { dedline: "5s" } },
    ["tagalong:rollout.dedline: unknown key — did you mean deadline?"],
  ],
  [
    "an unknown key that is near none",
    { edge: { certificate: "x" } },
    ["tagalong:edge.certificate: unknown key — known here: image"],
  ],
  [
    "two unknown keys",
    { edge: { imge: "x", "a.b": 1 } },
    [
      "tagalong:edge.imge: unknown key — did you mean image?",
      'tagalong:edge["a.b"]: unknown key — known here: image',
    ],
  ],
];

describe("The config of a stack", () => {
  for (const [title, values, lines] of table) {
    it(`refuses ${title}`, () => assert.deepEqual(mistakes(values), lines));
  }

  it("refuses a stack whose name cannot be its tag", () => {
    assert.deepEqual(mistakes({}, { stack: "1.2.3" }), [
      'tagalong:tag: "1.2.3" names one release and never moves — follow a moving tag, for example dev',
    ]);
  });

  it("takes any moving tag", () => {
    for (const tag of ["dev", "Dev_1", "1.2", "main", "sha", "shadow", "v1", "latest", "a".repeat(128)]) {
      assert.deepEqual(mistakes({ tag }), [], tag);
    }
  });

  it("takes every kind of state backend", () => {
    for (const backend of [
      "file:///state",
      "s3://bucket?region=eu",
      "gs://b",
      "azblob://c",
      "https://api.acme.dev",
    ]) {
      assert.deepEqual(mistakes({ watcher: { ...watcher, backend } }), [], backend);
    }
  });
});
