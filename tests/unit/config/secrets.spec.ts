import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { environment, mistakes } from "./given";

const registries = { "ghcr.io": { username: "acme-bot", password: "hunter2" } };

/** The value of an output, and whether it is secret. */
function reveal(output: pulumi.Output<string> | undefined): Promise<{ value: string; isSecret: boolean }> {
  assert.ok(pulumi.Output.isInstance(output));
  return new Promise((resolve) => {
    output.apply(async (value) => resolve({ value, isSecret: await pulumi.isSecret(output) }));
  });
}

describe("A secret", () => {
  it("is a secret output, and never a text of the config", async () => {
    const value = "p\"w'd\nsecond $line";
    const config = environment({ secrets: { DATABASE_URL: value }, registries });
    assert.deepEqual(await reveal(config.secrets["DATABASE_URL"]), { value, isSecret: true });
    const password = config.registries["ghcr.io"]?.password;
    assert.deepEqual(await reveal(password), { value: "hunter2", isSecret: true });
    assert.equal(config.registries["ghcr.io"]?.username, "acme-bot");
  });

  it("is refused in plain text, with the command that encrypts it", () => {
    assert.deepEqual(
      mistakes({ secrets: { PIN: "1234", "a.b": "x" }, registries }, { isEncrypted: () => false }),
      [
        `tagalong:registries["ghcr.io"].password: is not encrypted — replace it: pulumi config set --stack dev --secret --path 'tagalong:registries["ghcr.io"].password'`,
        "tagalong:secrets.PIN: is not encrypted — replace it: pulumi config set --stack dev --secret --path tagalong:secrets.PIN",
        'tagalong:secrets["a.b"]: is no variable name — use letters, digits and "_", not starting with a digit',
        `tagalong:secrets["a.b"]: is not encrypted — replace it: pulumi config set --stack dev --secret --path 'tagalong:secrets["a.b"]'`,
      ],
    );
  });

  it("is refused where it would not stay secret", () => {
    assert.deepEqual(mistakes({}, { isEncrypted: ([key]) => key === "services" }), [
      "tagalong:services: holds an encrypted value, which would not stay secret here — move it to tagalong:secrets, or set it without --secret",
    ]);
  });

  it("is named once, and not by a variable as well", () => {
    const server = { image: "server", env: { A: "1" }, secrets: ["A", "B", "B"] };
    assert.deepEqual(mistakes({ services: { server }, secrets: { A: "x", B: "y" } }), [
      'tagalong:services.server.secrets[0]: "A" is also set by tagalong:services.server.env.A — remove one of them',
      'tagalong:services.server.secrets[2]: "B" is listed twice — remove one',
    ]);
  });

  it("is in no message, whatever is wrong with it", () => {
    const wrong = [
      { secrets: "hunter2" },
      { secrets: ["hunter2"] },
      { secrets: { A: { B: "hunter2" } } },
      { secrets: { A: ["hunter2"] } },
      { registries: "hunter2" },
      { registries: { "ghcr.io": "hunter2" } },
      { registries: { "ghcr.io": { username: "", password: "hunter2", extra: "hunter2" } } },
      { registries: { "ghcr.io": { username: "me", password: { token: "hunter2" } } } },
      { registries: { "https://ghcr.io": { username: "me", password: "hunter2" } } },
    ];
    for (const values of wrong) {
      const lines = mistakes(values);
      assert.ok(lines.length > 0, JSON.stringify(values));
      assert.doesNotMatch(lines.join("\n"), /hunter2/);
    }
  });
});

describe("Credentials of a registry", () => {
  it("stand under the host as images name it", () => {
    const entry = registries["ghcr.io"];
    assert.deepEqual(mistakes({ registries: { "https://ghcr.io": entry } }), [
      'tagalong:registries["https://ghcr.io"]: is no registry — write its host as images name it, for example ghcr.io or localhost:5000',
    ]);
    assert.deepEqual(mistakes({ registries: { "localhost:5000": entry, "docker.io": entry } }), []);
  });

  it("have a user and a password", () => {
    assert.deepEqual(mistakes({ registries: { "ghcr.io": {} } }), [
      'tagalong:registries["ghcr.io"].password: is not a text — encrypt one text here',
      `tagalong:registries["ghcr.io"].username: is missing — write the name of the registry's user`,
    ]);
  });
});
