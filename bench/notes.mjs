// What whoever reads the figures must know; part of the output, so that no figure travels without it.

export const notes = [
  "Both sides, one after the other: the same app, registry, polling interval (2 s) and moments of the push within it.",
  "A push is one PUT of the tag for a digest that was uploaded before; it is finished when the registry has answered the last one. Every roll has a digest of its own, which differs in its config only: no layer is transferred.",
  "Serving is the first complete answer of the new version to the steady traffic, of the last service where there are twenty. Requests are counted from 1 s before the push to 6 s after that.",
  "Traffic goes to the edge's published port (Tagalong) and to the container's own published port (Watchtower), on loopback. The edge costs Tagalong one more hop and buys it the switch.",
  "Watchtower's containers are made as `docker run -d -p … --restart unless-stopped --stop-timeout 10` makes them; Tagalong's have a read-only root and no capabilities besides, which changes no timing that was seen.",
  "Watchtower runs as a plain process, without --cleanup, limited to the bench's containers by --scope.",
  "Tagalong speaks plain HTTP to a registry on loopback, Watchtower HTTPS, as it always does; TLS would cost Tagalong one handshake at its start. The registry asks both for an anonymous bearer token, valid for 300 s.",
  "A check is one look at one tag. Both do more than looking: Watchtower lists and inspects its containers at every round, Tagalong every 10 s. CPU is the watcher's and its children's; the Docker engine's own is in neither.",
  "Tagalong rolls when the digest passed its health gate, and then watches it for 5 s (soak); Watchtower does not look at the app's health.",
  "Wall-clock on a machine that does other work is noisy: loadAverage says how busy it was when a case began.",
];

export const kubernetesNotes = [
  "Both sides, one after the other, on the same Deployments: our watcher's rolls, then, with the watcher stopped, kubectl's. Each roll has a digest of its own.",
  "Tagalong's time begins when the registry has answered the push and has half of the polling interval (1 s) in it; kubectl's begins with its process, and somebody has to start that.",
  "Ready is when the API's own watch has shown every Deployment with its generation observed and all of its 5 pods updated, ready and available, and none besides. Neither side's word counts.",
  "The nodes are kwok's: a pod is ready as soon as it is bound, so what is measured is how fast changes leave and the cluster's own work; both sides share the machine with all of the cluster.",
  "Memory is VmHWM of the largest process of a program, which counts from its start; CPU time is of the roll, the watcher's until the verdict. A program's last 0.2 s are not seen.",
  "Wall-clock on a machine that does other work is noisy: loadAverage says how busy it was when a case began.",
];
