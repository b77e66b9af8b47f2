// Who is who in a cluster: an authority of its own, a certificate for each part, and a kubeconfig for each that calls.
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../command.mjs";
import { API_SERVICE, serverOf } from "./addresses.mjs";
import { kubeconfigOf } from "./folder.mjs";

export const NODE = "node";

/** The users that Kubernetes itself knows by these names, and what they may do. */
const callers = {
  admin: "/O=system:masters/CN=admin",
  "kube-controller-manager": "/CN=system:kube-controller-manager",
  "kube-scheduler": "/CN=system:kube-scheduler",
  "kube-proxy": "/CN=system:kube-proxy",
  kubelet: `/O=system:nodes/CN=system:node:${NODE}`,
};

/**
 * @param {string} name
 * @param {string} server
 * @param {{ authority: Buffer, certificate: Buffer, key: Buffer }} pem
 */
export function kubeconfig(name, server, { authority, certificate, key }) {
  const entries = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server, "certificate-authority-data": authority.toString("base64") } }],
    users: [
      {
        name,
        user: {
          "client-certificate-data": certificate.toString("base64"),
          "client-key-data": key.toString("base64"),
        },
      },
    ],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  };
  // YAML reads JSON.
  return `${JSON.stringify(entries, null, 2)}\n`;
}

/**
 * @param {string} name the cluster's
 * @param {string} folder
 * @param {import("./addresses.mjs").Addresses} addresses
 */
export async function makeIdentities(name, folder, addresses) {
  const at = join(folder, "identities");
  mkdirSync(at, { recursive: true, mode: 0o700 });
  const options = { cwd: at, seconds: 60 };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const days = ["-days", "3650"];
  const authority = ["req", "-x509", ...key, ...days, "-subj", "/CN=tagalong"];
  await run("openssl", [...authority, "-keyout", "authority.key", "-out", "authority.crt"], options);
  /** @param {string} who @param {string} subject @param {string} extension */
  const certify = async (who, subject, extension) => {
    writeFileSync(join(at, `${who}.ext`), `${extension}\n`);
    const files = ["-keyout", `${who}.key`, "-out", `${who}.csr`];
    await run("openssl", ["req", "-new", ...key, "-subj", subject, ...files], options);
    const signer = ["-CA", "authority.crt", "-CAkey", "authority.key", "-CAcreateserial"];
    const result = ["-in", `${who}.csr`, "-out", `${who}.crt`, "-extfile", `${who}.ext`];
    await run("openssl", ["x509", "-req", ...signer, ...days, ...result], options);
    for (const rest of ["csr", "ext"]) rmSync(join(at, `${who}.${rest}`));
  };
  const dns = ["", ".default", ".default.svc", ".default.svc.cluster.local"].map(
    (end) => `DNS:kubernetes${end}`,
  );
  const ip = ["127.0.0.1", addresses.node, API_SERVICE].map((address) => `IP:${address}`);
  await certify("kube-apiserver", "/CN=kube-apiserver", `subjectAltName=${[...dns, ...ip].join(",")}`);
  for (const [who, subject] of Object.entries(callers)) {
    await certify(who, subject, "extendedKeyUsage=clientAuth");
    const read = (/** @type {string} */ file) => readFileSync(join(at, file));
    const pem = {
      authority: read("authority.crt"),
      certificate: read(`${who}.crt`),
      key: read(`${who}.key`),
    };
    const text = kubeconfig(`tagalong-${name}`, serverOf(addresses), pem);
    writeFileSync(who === "admin" ? kubeconfigOf(folder) : join(at, `${who}.conf`), text, { mode: 0o600 });
  }
  const tokens = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  writeFileSync(join(at, "tokens.key"), tokens.privateKey, { mode: 0o600 });
  writeFileSync(join(at, "tokens.pub"), tokens.publicKey);
}
