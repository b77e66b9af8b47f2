// The settings files of a cluster's parts, by name. Pure: text in, text out.
import { PODS } from "./addresses.mjs";
import { NODE } from "./identities.mjs";

/** Where the cluster's own processes see its folder; short, because a socket's path is limited. */
export const HOME = "/run/cluster";

/** @param {unknown} value */
const json = (value) => `${JSON.stringify(value, null, 2)}\n`;

/**
 * @param {object} options
 * @param {string} options.node its address
 * @param {number} options.registryPort of the machine's registry
 * @param {string} options.group the control group that everything of the cluster is in
 * @param {string} options.pause the image that holds a pod's namespaces
 * @returns {Record<string, string>}
 */
export const settings = ({ node, group, pause, registryPort }) => ({
  "containerd.toml": containerd(pause),
  [`hosts/${node}:${registryPort}/hosts.toml`]: plain(`http://${node}:${registryPort}`),
  "cni/tagalong.conflist": json(podNetwork),
  "kubelet.json": json(kubelet(node, group)),
  "kube-proxy.json": json(proxy),
  Corefile: corefile(node),
  "resolv.conf": "",
});

/** @param {string} registry */
const plain = (registry) => `[host."${registry}"]
  capabilities = ["pull", "resolve"]
`;

/** @param {string} pause */
const containerd = (pause) => `version = 2
root = "${HOME}/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pause}"
  # Where a machine's own limits forbid it, a container would not start.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "${HOME}/hosts"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${HOME}/bin"
    conf_dir = "${HOME}/cni"
`;

// Each pod on a wire of its own, and routed: what goes to a Service passes kube-proxy's rules on every kernel, which
// it does on a bridge only where br_netfilter is loaded.
const podNetwork = {
  cniVersion: "0.4.0",
  name: "pods",
  plugins: [
    {
      type: "ptp",
      ipMasq: false,
      ipam: { type: "host-local", ranges: [[{ subnet: PODS }]], routes: [{ dst: "0.0.0.0/0" }] },
    },
  ],
};

/** @param {string} node @param {string} group */
const kubelet = (node, group) => ({
  apiVersion: "kubelet.config.k8s.io/v1beta1",
  kind: "KubeletConfiguration",
  address: node,
  healthzBindAddress: node,
  authentication: {
    x509: { clientCAFile: `${HOME}/identities/authority.crt` },
    anonymous: { enabled: false },
    webhook: { enabled: true },
  },
  authorization: { mode: "Webhook" },
  containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
  cgroupDriver: "cgroupfs",
  cgroupRoot: `/${group}`,
  failCgroupV1: false,
  failSwapOn: false,
  resolvConf: `${HOME}/resolv.conf`,
  clusterDNS: [node],
  clusterDomain: "cluster.local",
  volumePluginDir: `${HOME}/lib/volume-plugins`,
  // A full disk is the machine's matter: the cluster neither evicts nor deletes images for it.
  evictionHard: { "memory.available": "0%", "nodefs.available": "0%", "imagefs.available": "0%" },
  imageGCHighThresholdPercent: 100,
  maxPods: 250,
  serializeImagePulls: false,
  registryPullQPS: 0,
});

const proxy = {
  apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
  kind: "KubeProxyConfiguration",
  clientConnection: { kubeconfig: `${HOME}/identities/kube-proxy.conf` },
  hostnameOverride: NODE,
  mode: "iptables",
  clusterCIDR: PODS,
  // 0 would be the default, a second.
  iptables: { minSyncPeriod: "100ms" },
  // What is the whole machine's stays as it is.
  conntrack: { maxPerCore: 0 },
};

/** @param {string} node */
const corefile = (node) => `. {
  bind ${node}
  errors
  ready ${node}:8181
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${HOME}/kubeconfig
  }
  cache 5
}
`;
