// What a cluster is made of, as its processes are started within its namespaces: each with its arguments, and where it
// says whether it is well. Pure: text in, text out.
import { API_PORT, SERVICES } from "./addresses.mjs";
import { NODE } from "./identities.mjs";
import { HOME } from "./settings.mjs";

/**
 * @typedef {object} Part
 * @property {string} name of the program, and of its log
 * @property {readonly string[]} args
 * @property {Record<string, string>} [env]
 * @property {string} [health] a URL that answers 200 when it is well
 */

/** @typedef {{ addresses: import("./addresses.mjs").Addresses, registryPort: number, fakes: boolean }} Layout */

const identity = (/** @type {string} */ file) => `${HOME}/identities/${file}`;

const LISTENING = `${HOME}/registry.sock`;

/**
 * Leads to the machine's registry; runs where the machine's loopback is.
 * @param {Layout} layout
 * @returns {Part}
 */
export const outside = ({ registryPort }) => ({
  name: "forward",
  args: [`unix:${LISTENING}`, `tcp:127.0.0.1:${registryPort}`],
});

/**
 * @param {Layout} layout
 * @returns {Part[]} what runs in the cluster's own network
 */
export function inside({ addresses: { node }, registryPort, fakes }) {
  const kubelet = `--kubeconfig=${identity("kubelet.conf")}`;
  return [
    // For the node alone, under the name that it has on the machine; and for pods and the machine alike.
    ...["127.0.0.1", node].map((address) => ({
      name: "forward",
      args: [`tcp:${address}:${registryPort}`, `unix:${LISTENING}`],
    })),
    {
      name: "etcd",
      args: [
        `--data-dir=${HOME}/etcd`,
        "--log-level=warn",
        // What is lost with the machine is not missed.
        "--unsafe-no-fsync=true",
        `--quota-backend-bytes=${2 ** 31}`,
      ],
    },
    { name: "containerd", args: [`--config=${HOME}/containerd.toml`] },
    {
      name: "kube-apiserver",
      health: `https://${node}:${API_PORT}/readyz`,
      args: [
        "--etcd-servers=http://127.0.0.1:2379",
        `--secure-port=${API_PORT}`,
        `--advertise-address=${node}`,
        `--tls-cert-file=${identity("kube-apiserver.crt")}`,
        `--tls-private-key-file=${identity("kube-apiserver.key")}`,
        `--client-ca-file=${identity("authority.crt")}`,
        `--kubelet-client-certificate=${identity("admin.crt")}`,
        `--kubelet-client-key=${identity("admin.key")}`,
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        `--service-account-key-file=${identity("tokens.pub")}`,
        `--service-account-signing-key-file=${identity("tokens.key")}`,
        `--service-cluster-ip-range=${SERVICES}`,
        "--authorization-mode=Node,RBAC",
        "--allow-privileged=true",
        "--profiling=false",
      ],
    },
    {
      name: "kube-controller-manager",
      health: `https://${node}:10257/healthz`,
      args: [
        ...client("kube-controller-manager"),
        `--root-ca-file=${identity("authority.crt")}`,
        `--service-account-private-key-file=${identity("tokens.key")}`,
        "--use-service-account-credentials",
        ...alone,
        // The defaults take minutes over a thousand pods.
        "--concurrent-deployment-syncs=20",
        "--concurrent-replicaset-syncs=20",
        // A busy machine keeps kwok from renewing in time, and a pod that was unready once stays so: nobody asks it again.
        ...(fakes ? ["--node-monitor-grace-period=10m"] : []),
      ],
    },
    {
      name: "kube-scheduler",
      health: `https://${node}:10259/healthz`,
      args: [...client("kube-scheduler"), ...alone],
    },
    {
      name: "kubelet",
      health: `http://${node}:10248/healthz`,
      args: [kubelet, `--config=${HOME}/kubelet.json`, `--hostname-override=${NODE}`, `--node-ip=${node}`],
    },
    {
      name: "kube-proxy",
      health: `http://${node}:10256/healthz`,
      args: [`--config=${HOME}/kube-proxy.json`],
    },
    { name: "coredns", health: `http://${node}:8181/ready`, args: [`${HOME}/Corefile`] },
    ...(fakes ? [kwok(node)] : []),
  ];
}

/** @param {string} who */
const client = (who) =>
  ["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"].map(
    (flag) => `--${flag}=${identity(`${who}.conf`)}`,
  );

const alone = ["--leader-elect=false", "--kube-api-qps=200", "--kube-api-burst=400"];

/**
 * @param {string} node
 * @returns {Part}
 */
const kwok = (node) => ({
  name: "kwok",
  env: { HOME },
  health: `http://${node}:10247/healthz`,
  args: [
    `--kubeconfig=${HOME}/kubeconfig`,
    `--config=${HOME}/kwok.yaml`,
    "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
    // By default they have no leases, and would be taken for lost.
    "--node-lease-duration-seconds=40",
    `--node-ip=${node}`,
    `--server-address=${node}:10247`,
  ],
});

/** @param {string} text */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** @param {Part} part */
const kept = ({ name, args, env = {} }) => {
  const variables = Object.entries(env).map(([key, value]) => `${key}=${value}`);
  return ["keep", name, "env", ...variables, name, ...args].map(quoted).join(" ");
};

// What dies is started again, as a machine's init would.
const keep = `keep() {
  part=$1
  shift
  while :; do
    "$@" >>"/var/log/$part.log" 2>&1 || echo "$part: exit code $?" >>/var/log/ended.log
    sleep 0.5
  done &
}`;

/**
 * The first process of the cluster: new processes and mounts are its own, the network is still the machine's. Whatever
 * the parts write at fixed places (/run, /var/lib, /var/log) lands in the cluster's folder or in memory.
 * @param {Layout} layout
 * @param {string} folder
 */
export const outerScript = (layout, folder) => `set -e
mount -t tmpfs tmpfs /run
mkdir ${HOME} /run/lock
mount --bind ${quoted(folder)} ${HOME}
cd ${HOME}
mount --bind lib /var/lib
mount --bind log /var/log
export PATH="${HOME}/bin:$PATH"
${keep}
${kept(outside(layout))}
exec unshare --net sh ${HOME}/inner.sh
`;

/** @param {Layout} layout */
export const innerScript = (layout) => `set -e
ip link set lo up
until ip addr add ${layout.addresses.node}/${layout.addresses.prefix} dev eth0 2>/dev/null; do sleep 0.02; done
ip link set eth0 up
# Nothing leads further than to the machine; this is for calls from the node itself, on their way to kube-proxy's rules.
ip route add ${SERVICES} dev eth0
echo 1 >/proc/sys/net/ipv4/ip_forward
${keep}
${inside(layout).map(kept).join("\n")}
wait
`;
