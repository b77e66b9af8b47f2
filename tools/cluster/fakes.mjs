// Nodes that exist in the API only, where it is the number of objects that counts. kwok plays them: what is bound to one
// is ready at once. A pod that does not ask for them stays on the real node.
import { call } from "./api.mjs";

export const TAINT = "kwok.x-k8s.io/node";

/** @param {number} number */
export const fakeNode = (number) => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: {
    name: `fake-${number}`,
    annotations: { [TAINT]: "fake" },
    labels: { type: "kwok", "kubernetes.io/os": "linux", "kubernetes.io/hostname": `fake-${number}` },
  },
  spec: { taints: [{ key: TAINT, value: "fake", effect: "NoSchedule" }] },
});

/**
 * @param {string} folder
 * @param {number} fakes
 */
export async function addFakes(folder, fakes) {
  for (let number = 1; number <= fakes; number++) {
    await call(folder, "POST", "/api/v1/nodes", fakeNode(number)).catch((error) => {
      if (error.status !== 409) throw error;
    });
  }
}
