// The Role of the watcher, rule by rule, on the cluster of the run: each that is missing is named before anything begins.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { watcherPermissions } from "../../components/kubernetes/needs";
import { rulesOf } from "../../components/kubernetes/tagWatcher";
import { type Labelled, pathOf, type Resource, remove, resources } from "../../provider/kubernetes/api";
import { connectCluster } from "../../provider/kubernetes/cluster";
import { lacking, rightsOf } from "../../provider/kubernetes/rights";
import { kubernetesPlace } from "../../watcher/kubernetes";
import { environment } from "../unit/config/given";
import { cluster } from "./engine";

const group = "rbac.authorization.k8s.io";
const roles: Resource = { group, version: "v1", resource: "roles" };
const bindings: Resource = { ...roles, resource: "rolebindings" };
const accounts: Resource = { group: "", version: "v1", resource: "serviceaccounts" };

describe("The rights of a watcher in a cluster", function () {
  this.timeout(600_000);

  const folder = mkdtempSync(join(tmpdir(), "rights-"));
  const namespace = `rights-${randomBytes(4).toString("hex")}`;
  const own = process.env["KUBECONFIG"] ?? "";
  const config = environment({
    engine: "kubernetes",
    kubernetes: { namespace },
    services: {
      server: {
        image: "server",
        port: 8080,
        resources: { cpu: 1 },
        autoscale: { min: 2, max: 3 },
        ingress: { host: "shop.example" },
      },
    },
    watcher: { image: "ghcr.io/acme/tagalong:1.0.0", backend: "s3://acme-state" },
  });
  const permissions = watcherPermissions(config);
  const metadata = { name: "watcher", namespace };
  const role = (rules: object[]) => ({
    apiVersion: `${group}/v1`,
    kind: "Role",
    metadata,
    rules,
  });
  const grant = (rules: object[]) => cluster.put(pathOf(roles, namespace, "watcher"), role(rules));
  /** What a watcher with that Role says when it starts; "" where it starts. */
  const start = async () => {
    const stop = new AbortController().signal;
    try {
      const hold = await kubernetesPlace("").hold?.({ project: "shop", config, log: () => {}, stop });
      await hold?.release();
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };
  /** A Role takes a moment to count. */
  const said = async (wanted: (text: string) => boolean) => {
    for (;;) {
      const text = await start();
      if (wanted(text)) return text;
    }
  };

  before(async () => {
    await cluster.post(pathOf(resources.namespaces), { metadata: { name: namespace } });
    await cluster.post(pathOf(accounts, namespace), { metadata });
    await cluster.post(pathOf(roles, namespace), role([]));
    await cluster.post(pathOf(bindings, namespace), {
      metadata,
      roleRef: { apiGroup: group, kind: "Role", name: "watcher" },
      subjects: [{ kind: "ServiceAccount", name: "watcher", namespace }],
    });
    const { status } = await cluster.post<{ status: { token: string } }>(
      `${pathOf(accounts, namespace, "watcher")}/token`,
      { spec: {} },
    );
    const kubeconfig = parse(readFileSync(own, "utf8")) as { users: { user: object }[] };
    for (const user of kubeconfig.users) user.user = { token: status.token };
    const file = join(folder, "kubeconfig");
    writeFileSync(file, stringify(kubeconfig));
    process.env["KUBECONFIG"] = file;
  });
  after(async () => {
    process.env["KUBECONFIG"] = own;
    rmSync(folder, { recursive: true });
    const path = pathOf(resources.namespaces, undefined, namespace);
    await remove(cluster, path, (await cluster.get<Labelled>(path)).metadata);
  });

  it("are enough to start with", async () => {
    await grant(rulesOf(config));
    await said((text) => text === "");
  });

  for (const { group: of, resource, verbs } of permissions) {
    const what = of === "" ? resource : `${resource}.${of}`;
    it(`are asked for at its start: ${verbs.join(", ")} ${what}`, async () => {
      await grant(
        rulesOf(config).filter(
          ({ apiGroups, resources: [one] }) => !(apiGroups[0] === of && one === resource),
        ),
      );
      const text = await said((one) => one !== "" && one.split("\n").length === 3);
      assert.equal(text.split("\n")[1], `  ${verbs.join(", ")} ${what} in the namespace ${namespace}`);
      assert.match(text, /\n {2}.*\ngrant it with a Role and a RoleBinding, see docs\/kubernetes\.md$/);
    });
  }

  it("are not enough to give itself more", async () => {
    await grant(rulesOf(config));
    await said((text) => text === "");
    const guarded = ["roles", "rolebindings", "serviceaccounts"].map((resource) => ({
      group: resource === "serviceaccounts" ? "" : group,
      resource,
      verbs: ["create", "update", "patch", "delete", "bind", "escalate"],
    }));
    const [, ...lines] = await lacking(connectCluster({ context: "" }), rightsOf(guarded, namespace));
    assert.equal(
      lines.filter((line) => line.startsWith("  create, update, patch, delete, bind, escalate ")).length,
      3,
    );
  });
});
