// The addresses of clusters. Each has a network of its own and may use the same ones inside; outside, a cluster is one
// pair of addresses, of a block that is set aside for tests (RFC 2544) and routed nowhere.

/** @typedef {{ link: string, host: string, node: string, prefix: number }} Addresses */

export const PODS = "10.244.0.0/16";
export const SERVICES = "10.96.0.0/16";
export const API_SERVICE = "10.96.0.1";
export const API_PORT = 6443;

/** How many clusters a machine can have at once. */
export const MOST = 2 ** 15;

/**
 * @param {number} number
 * @returns {Addresses}
 */
export function addressesOf(number) {
  const at = (/** @type {number} */ offset) => {
    const whole = number * 4 + offset;
    return `198.${18 + Math.floor(whole / 65536)}.${Math.floor(whole / 256) % 256}.${whole % 256}`;
  };
  return { link: `tagalong${number}`, host: at(1), node: at(2), prefix: 30 };
}

/** @param {Addresses} addresses */
export const serverOf = ({ node }) => `https://${node}:${API_PORT}`;
