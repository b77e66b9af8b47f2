// What stands in an environment's way on a cluster is said before anything is made: the provider's own claim, asked
// without an engine.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { V1Namespace } from "@kubernetes/client-node";
import { parse, stringify } from "yaml";
import type { Context } from "../../provider/handler";
import { find, type Labelled, pathOf, type Resource, resources } from "../../provider/kubernetes/api";
import {
  type ClusterClaimInputs,
  type ClusterClaimOutputs,
  clusterClaim,
} from "../../provider/kubernetes/claim";
import { environmentAnnotation, labels } from "../../provider/kubernetes/layout";
import { cluster } from "./engine";

const context: Context = { signal: new AbortController().signal, log: () => {} };
const own = process.env["KUBECONFIG"] ?? "";
const config = parse(readFileSync(own, "utf8")) as {
  clusters: { cluster: Record<string, string> }[];
  users: { user: Record<string, string> }[];
};

const serviceAccounts: Resource = { group: "", version: "v1", resource: "serviceaccounts" };
const roles: Resource = { group: "rbac.authorization.k8s.io", version: "v1", resource: "roles" };
const bindings: Resource = { ...roles, resource: "rolebindings" };

describe("The claim of a namespace", function () {
  this.timeout(600_000);

  const folder = mkdtempSync(join(tmpdir(), "claim-"));
  const namespaces: string[] = [];

  const newName = () => {
    const name = `claim-${randomBytes(4).toString("hex")}`;
    namespaces.push(name);
    return name;
  };
  const inputs = (namespace = newName(), more: Partial<ClusterClaimInputs> = {}): ClusterClaimInputs => ({
    environment: `shop/${namespace}`,
    context: "",
    namespace,
    objects: [
      { group: "apps", version: "v1", resource: "deployments", kind: "Deployment", names: ["server"] },
      { group: "", version: "v1", resource: "services", kind: "Service", names: ["server"] },
    ],
    permissions: [
      { group: "apps", resource: "deployments", verbs: ["get", "create", "patch"] },
      { group: "", resource: "pods/log", verbs: ["get"] },
    ],
    permissionsByHand: [],
    ...more,
  });
  const create = async (given: ClusterClaimInputs) => {
    const { outputs } = await clusterClaim.create(given, context);
    return { ...given, ...(outputs as ClusterClaimOutputs) };
  };
  const namespaceOf = (name: string) =>
    find<V1Namespace & Labelled>(cluster, pathOf(resources.namespaces, undefined, name));
  const makeNamespace = (name: string, annotations: Record<string, string> = {}) =>
    cluster.post<Labelled>(pathOf(resources.namespaces), {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name, annotations },
    });
  /** The kubeconfig of the run with another server or user in it. */
  const as = (change: { server?: string; user?: Record<string, unknown> }): void => {
    const [entry] = config.clusters;
    const server = change.server ?? entry?.cluster["server"] ?? "";
    const file = join(folder, `${randomBytes(4).toString("hex")}.yaml`);
    const ca = change.server?.startsWith("http:")
      ? {}
      : { "certificate-authority-data": entry?.cluster["certificate-authority-data"] };
    writeFileSync(
      file,
      stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: "shop", cluster: { server, ...ca } }],
        users: [{ name: "ada", user: change.user ?? config.users[0]?.user }],
        contexts: [{ name: "shop", context: { cluster: "shop", user: "ada" } }],
        "current-context": "shop",
      }),
    );
    process.env["KUBECONFIG"] = file;
  };
  /** A user who may do what a Role grants in one namespace, and nothing else. */
  const restricted = async (namespace: string, rules: object[]) => {
    const metadata = { name: "ada", namespace };
    const apiGroup = "rbac.authorization.k8s.io";
    await cluster.post(pathOf(serviceAccounts, namespace), { metadata });
    await cluster.post(pathOf(roles, namespace), { metadata, rules });
    await cluster.post(pathOf(bindings, namespace), {
      metadata,
      roleRef: { apiGroup, kind: "Role", name: "ada" },
      subjects: [{ kind: "ServiceAccount", name: "ada", namespace }],
    });
    const { status } = await cluster.post<{ status: { token: string } }>(
      `${pathOf(serviceAccounts, namespace, "ada")}/token`,
      { spec: {} },
    );
    as({ user: { token: status.token } });
  };

  afterEach(() => {
    process.env["KUBECONFIG"] = own;
  });
  after(async () => {
    for (const name of namespaces)
      if (await namespaceOf(name)) await cluster.delete(pathOf(resources.namespaces, undefined, name));
    rmSync(folder, { recursive: true });
  });

  it("makes the namespace under restricted Pod Security, and takes it away again", async () => {
    const claim = await create(inputs());
    const { metadata } = (await namespaceOf(claim.namespace)) ?? { metadata: {} };
    assert.equal(metadata.labels?.["pod-security.kubernetes.io/enforce"], "restricted");
    assert.equal(metadata.labels?.[labels.claim], claim.claim);
    assert.equal(metadata.annotations?.[environmentAnnotation], claim.environment);
    assert.deepEqual(claim.platforms, [`linux/${process.arch === "x64" ? "amd64" : process.arch}`]);
    await clusterClaim.verify?.(claim, context);
    await clusterClaim.delete?.("", claim, context);
    assert.equal(await namespaceOf(claim.namespace), undefined);
  });

  it("adopts a namespace that is there, and leaves it when it goes", async () => {
    const given = inputs();
    await makeNamespace(given.namespace);
    const claim = await create(given);
    assert.equal(claim.isMade, false);
    await clusterClaim.delete?.("", claim, context);
    assert.equal((await namespaceOf(given.namespace))?.metadata.deletionTimestamp, undefined);
  });

  it("refuses a namespace of another environment, in a preview too", async () => {
    const given = inputs();
    await makeNamespace(given.namespace, { [environmentAnnotation]: "blog/dev" });
    const refused =
      /^Error: the namespace \S+ is of the environment blog\/dev: give this one another in tagalong:kubernetes\.namespace$/;
    await assert.rejects(clusterClaim.create(given, context), refused);
    await assert.rejects(Promise.resolve(clusterClaim.preview?.(given, undefined, context)), refused);
  });

  it("refuses what has a name that it needs and is not its own", async () => {
    const given = inputs();
    await makeNamespace(given.namespace);
    await cluster.post(`/api/v1/namespaces/${given.namespace}/services`, {
      metadata: { name: "server" },
      spec: { ports: [{ port: 80 }] },
    });
    await assert.rejects(
      clusterClaim.create(given, context),
      new RegExp(
        `^Error: the Service "server" exists in the namespace ${given.namespace} and is not of this stack: rename the service, or remove it with \`kubectl delete services server -n ${given.namespace}\`$`,
      ),
    );
  });

  it("refuses its own environment where another state has made it", async () => {
    const given = inputs();
    await makeNamespace(given.namespace, { [environmentAnnotation]: given.environment });
    await cluster.post(`/api/v1/namespaces/${given.namespace}/services`, {
      metadata: { name: "server" },
      spec: { ports: [{ port: 80 }] },
    });
    await assert.rejects(
      clusterClaim.create(given, context),
      /^Error: the environment \S+ is in the namespace \S+ already, made from another state: select that state's backend/,
    );
  });

  it("names each right that is missing, and no other", async () => {
    const given = inputs();
    await makeNamespace(given.namespace);
    await restricted(given.namespace, [
      { apiGroups: [""], resources: ["namespaces"], verbs: ["get"] },
      { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "create"] },
    ]);
    const refused = await clusterClaim.create(given, context).then(
      () => "",
      (error: Error) => error.message,
    );
    assert.deepEqual(refused.split("\n").slice(1, -1), [
      `  patch deployments.apps in the namespace ${given.namespace}`,
      `  get pods/log in the namespace ${given.namespace}`,
    ]);
    assert.match(refused, /may not:\n/);
    assert.match(refused, /grant it with a Role and a RoleBinding, see docs\/kubernetes\.md$/);
  });

  it("needs no right outside of a namespace that is there", async () => {
    const given = inputs();
    await makeNamespace(given.namespace);
    await restricted(given.namespace, [
      { apiGroups: [""], resources: ["namespaces"], verbs: ["get"] },
      { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "list", "create", "patch"] },
      { apiGroups: [""], resources: ["services"], verbs: ["list"] },
      { apiGroups: [""], resources: ["pods/log"], verbs: ["get"] },
    ]);
    assert.deepEqual((await create(given)).platforms, [], "nodes may not be listed");
  });

  it("takes credentials from the program that the kubeconfig names, as that of a managed cluster does", async () => {
    const { user = {} } = config.users[0] ?? {};
    const status = {
      clientCertificateData: Buffer.from(user["client-certificate-data"] ?? "", "base64").toString(),
      clientKeyData: Buffer.from(user["client-key-data"] ?? "", "base64").toString(),
    };
    const apiVersion = "client.authentication.k8s.io/v1";
    const credential = JSON.stringify({ apiVersion, kind: "ExecCredential", status });
    const exec = { apiVersion, command: "echo", args: [credential], interactiveMode: "Never" };
    as({ user: { exec } });
    await clusterClaim.delete?.("", await create(inputs()), context);
    as({ user: { exec: { ...exec, command: "kubelogin-that-is-not-there" } } });
    await assert.rejects(
      clusterClaim.create(inputs(), context),
      /no credentials could be had for the cluster of the context "shop".*kubelogin-that-is-not-there.*: log in again/,
    );
  });

  it("says that credentials are not taken any more", async () => {
    as({ user: { token: "expired" } });
    await assert.rejects(
      clusterClaim.create(inputs(), context),
      /does not take the credentials of the user "ada".*: log in again, or set KUBECONFIG/,
    );
  });

  it("says that nobody answers", async () => {
    as({ server: "https://127.0.0.1:1" });
    await assert.rejects(
      clusterClaim.create(inputs(), context),
      /the cluster of the context "shop" at https:\/\/127\.0\.0\.1:1 does not answer \(.*ECONNREFUSED.*\)/,
    );
  });

  it("refuses a cluster that is too old", async () => {
    const old = createServer((_, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ major: "1", minor: "29+", gitVersion: "v1.29.4-eks" }));
    });
    await new Promise<void>((resolve) => old.listen(0, "127.0.0.1", resolve));
    as({ server: `http://127.0.0.1:${(old.address() as AddressInfo).port}` });
    await assert.rejects(
      clusterClaim.create(inputs(), context),
      /is Kubernetes v1\.29\.4-eks, and 1\.30 or later is needed: upgrade it, or use another one$/,
    );
    old.close();
  });

  it("says what cannot be changed in place: a Deployment of its own that selects other pods", async () => {
    const claim = await create(inputs());
    const own = { [labels.claim]: claim.claim };
    const make = (pods: Record<string, string>) =>
      cluster.post(pathOf(resources.deployments, claim.namespace), {
        metadata: { name: "server", labels: { ...own, ...pods } },
        spec: {
          replicas: 0,
          selector: { matchLabels: pods },
          template: { metadata: { labels: pods }, spec: { containers: [{ name: "server", image: "none" }] } },
        },
      });
    const verify = () => Promise.resolve(clusterClaim.verify?.(claim, context));
    await make({ [labels.service]: "server" });
    await verify();
    await cluster.delete(pathOf(resources.deployments, claim.namespace, "server"));
    await make({ app: "server" });
    await assert.rejects(
      verify(),
      new RegExp(
        `^Error: somebody has made the Deployment "server" anew with another selector, which cannot be changed: remove it with \`kubectl delete deployments server -n ${claim.namespace}\`, and run \`pulumi up --refresh\`$`,
      ),
    );
  });

  it("does not take a namespace of the same name for its own, here or on another cluster", async () => {
    const claim = await create(inputs());
    await cluster.delete(pathOf(resources.namespaces, undefined, claim.namespace));
    while (await namespaceOf(claim.namespace)) await new Promise((resolve) => setTimeout(resolve, 100));
    const verify = () => Promise.resolve(clusterClaim.verify?.(claim, context));
    await assert.rejects(verify(), /is not there on the cluster .*: choose the stack's cluster/);
    await makeNamespace(claim.namespace);
    await assert.rejects(verify(), /is another one than the stack's on the cluster/);
    assert.equal(await clusterClaim.read?.("", claim, context), undefined);
    await clusterClaim.delete?.("", claim, context);
    assert(await namespaceOf(claim.namespace), "what is not its own stays");
  });
});
